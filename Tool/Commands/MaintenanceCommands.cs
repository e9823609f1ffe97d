using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What is done to stored rows later, by the app's own code: purge, forget, reindex, reparse, and the replay of dead letters.</summary>
internal static class MaintenanceCommands
{
    public static Command Purge(CommandContext context)
    {
        var before = new Option<DateOnly>("--before") { Description = "The first day that is kept, as 2026-05-01; it may not lie in the future.", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Count and delete nothing." };
        var command = new Command("purge", "Deletes the events of all days before a day from all three tables, and their bodies. Can be broken off and begun again.") { before, dryRun };
        command.Validators.Add(result =>
        {
            if (result.GetValue(before) > context.Today)
            {
                result.AddError("--before lies in the future.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var day = new DateTimeOffset(parsed.GetValue(before), TimeOnly.MinValue, TimeSpan.Zero);
            var events = await RunAsync(context, parsed, "events", (services, progress) =>
                services.GetRequiredService<Retention>().PurgeAsync(day, parsed.GetValue(dryRun), progress, cancellationToken));
            return await ReportAsync(context, parsed, parsed.GetValue(dryRun) ? "events would be deleted" : "events deleted", ("events", events));
        });
        return command;
    }

    public static Command Forget(CommandContext context)
    {
        var address = new Argument<string>("address") { Description = "The address to forget, in any case." };
        var force = new Option<bool>("--force") { Description = "Go on although messages wait in a queue, which may hold the address: bodies are then left alone, and it has to be run again." };
        var command = new Command("forget", "Forgets an address: deletes the events about it alone, and takes it out of all others. Reads everything that is stored.") { address, force };
        command.Validators.Add(result =>
        {
            if (result.GetValue(address) is not { Length: > 2 } text || !text.Contains('@', StringComparison.Ordinal))
            {
                result.AddError("Name a whole email address.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var services = ServicesOf(context, parsed);
            var waiting = await services.GetRequiredService<QueueWatch>().CountAsync(cancellationToken);
            if (waiting > 0 && !parsed.GetValue(force))
            {
                throw new CommandFailedException($"{waiting} messages wait in the queues and may hold the address: try again when they are stored, or say --force.");
            }

            var forgotten = await RunAsync(context, parsed, "rows read", (_, progress) =>
                services.GetRequiredService<Forgetting>().ForgetAsync(parsed.GetRequiredValue(address), progress, cancellationToken));
            return await ReportAsync(
                context, parsed, "events deleted, events redacted, dead letters handled, bodies deleted, bodies left (run it again when the queues are empty)",
                ("deleted", forgotten.Deleted), ("redacted", forgotten.Redacted), ("deadLetters", forgotten.DeadLetters), ("blobs", forgotten.Blobs), ("blobsLeft", forgotten.BlobsLeft));
        });
        return command;
    }

    public static Command Reindex(CommandContext context)
    {
        var command = new Command("reindex", "Makes the index tables again from Smtp2GoEvents, and deletes index rows whose event is gone. Can be repeated.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var events = await RunAsync(context, parsed, "events", (services, progress) => services.GetRequiredService<Rebuild>().ReindexAsync(progress, cancellationToken));
            return await ReportAsync(context, parsed, "events indexed", ("events", events));
        });
        return command;
    }

    public static Command Reparse(CommandContext context)
    {
        var command = new Command("reparse", "Makes every row's columns again from its body, after the parser was mended. Can be repeated.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var changed = await RunAsync(context, parsed, "events", (services, progress) => services.GetRequiredService<Rebuild>().ReparseAsync(progress, cancellationToken));
            return await ReportAsync(context, parsed, "rows changed", ("changed", changed));
        });
        return command;
    }

    public static Command Replay(CommandContext context)
    {
        var day = new Argument<string?>("day") { Description = "Its day, as list shows it.", Arity = ArgumentArity.ZeroOrOne };
        var rows = new Argument<string[]>("row") { Description = "Rows of that day.", Arity = ArgumentArity.ZeroOrMore };
        var reason = new Option<string?>("--reason") { Description = "All of this reason." };
        var command = new Command("replay", "Puts dead letters back into the queue. A row goes when its event is stored, and is updated when that fails again.") { day, rows, reason };
        command.Validators.Add(result =>
        {
            var named = result.GetValue(rows) is { Length: > 0 };
            if (result.GetValue(reason) is not null ? named || result.GetValue(day) is not null : !named)
            {
                result.AddError("Give either a day and its rows, or --reason.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var filters = parsed.GetValue(reason) is { } one
                ? [TableClient.CreateQueryFilter($"Reason eq {one}")]
                : parsed.GetValue(rows)!.Distinct().Select(row => TableClient.CreateQueryFilter($"PartitionKey eq {parsed.GetValue(day)} and RowKey eq {row}"));
            var (replayed, gone) = await RunAsync(context, parsed, "dead letters", async (services, progress) =>
            {
                // Read to the end first: a replay that fails at once comes back as the same row.
                var letters = new List<TableEntity>();
                foreach (var filter in filters)
                {
                    await foreach (var page in context.Tables(parsed).GetTableClient(DeadLetters.TableName).QueryIfExistsAsync(filter, ["PartitionKey", "RowKey"], cancellationToken))
                    {
                        letters.AddRange(page.Values);
                    }
                }

                return await ReplayAsync(services, context.Tables(parsed).GetTableClient(DeadLetters.TableName), letters, progress, cancellationToken);
            });
            return replayed + gone == 0
                ? await context.NothingFoundAsync("There is no such dead letter.")
                : await ReportAsync(context, parsed, "dead letters replayed, without a body any more", ("replayed", replayed), ("gone", gone));
        });
        return command;
    }

    private static async Task<(long Replayed, long Gone)> ReplayAsync(
        IServiceProvider services, TableClient table, List<TableEntity> letters, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var (deadLetters, queue) = (services.GetRequiredService<DeadLetters>(), services.GetRequiredService<WebhookQueue>());
        var (replayed, gone) = (0L, 0L);
        foreach (var key in letters)
        {
            var letter = await table.GetEntityIfExistsAsync<TableEntity>(key.PartitionKey, key.RowKey, cancellationToken: cancellationToken);
            if (letter.HasValue && await deadLetters.ReplayAsync(letter.Value!, queue, cancellationToken))
            {
                progress.Report(++replayed);
            }
            else
            {
                gone++;
            }
        }

        return (replayed, gone);
    }

    private static async Task<T> RunAsync<T>(CommandContext context, ParseResult parsed, string what, Func<IServiceProvider, IProgress<long>, Task<T>> run)
    {
        await using var services = ServicesOf(context, parsed);
        using var progress = new Progress(context, what);
        return await run(services, progress);
    }

    // The app's own services, on the account that the command names.
    private static ServiceProvider ServicesOf(CommandContext context, ParseResult parsed) => new ServiceCollection()
        .AddSmtp2GoIngest(context.Settings)
        .AddSingleton(context.Tables(parsed))
        .AddSingleton(context.Queues(parsed))
        .AddSingleton(context.Blobs(parsed))
        .AddSingleton(context.Time)
        .BuildServiceProvider();

    private static async Task<int> ReportAsync(CommandContext context, ParseResult parsed, string what, params (string Name, long Value)[] figures)
    {
        await (context.IsJson(parsed)
            ? context.Output.WriteJsonAsync(new JsonObject(figures.Select(f => KeyValuePair.Create<string, JsonNode?>(f.Name, f.Value))), CancellationToken.None)
            : context.Output.WriteLineAsync($"{string.Join(", ", figures.Select(f => f.Value.ToString("N0", CultureInfo.InvariantCulture)))} {what}."));
        return ExitCode.Done;
    }
}
