using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterReplayCommand
{
    private const int DefaultTimeout = 60;
    private const int MostDrawn = 100;

    public static Command Create(CommandContext context)
    {
        var noWait = new Option<bool>("--no-wait") { Description = "Only put them back into the queue." };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds to wait for each to be stored or fail again.",
            DefaultValueFactory = _ => DefaultTimeout,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 1, 86_400),
        };
        var command = new Command(
            "replay", "Puts dead letters back into the queue, waits, and says what became of each. Exits with 1 unless all are stored.");
        var selection = new DeadLetterSelection(command, isOne: false);
        command.Add(noWait);
        command.Add(timeout);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // Read to the end first: a replay that fails at once comes back as the same row.
            var found = await selection.FindAsync(context, parsed, cancellationToken);
            var keys = await found.Select(DeadLetterKey.Of).ToListAsync(cancellationToken);
            if (keys.Count == 0)
            {
                return await context.NothingFoundAsync(DeadLetterSelection.NothingFound);
            }

            var (replayed, outcomes) = (new List<ReplayedLetter>(), new List<ReplayOutcome>());
            await ReplayAsync(context, parsed, keys, replayed, outcomes, cancellationToken);
            if (parsed.GetValue(noWait))
            {
                var gone = outcomes.Count(outcome => outcome.Result == ReplayResult.Gone);
                Figure[] figures =
                [
                    new("replayed", "Dead letters put back into the queue", keys.Count - gone),
                    new("gone", "Skipped because the body is gone", gone),
                ];
                await context.ReportAsync(parsed, figures, cancellationToken);
                return ExitCode.Done;
            }

            await WatchAsync(context, parsed, replayed, outcomes, TimeSpan.FromSeconds(parsed.GetValue(timeout)), cancellationToken);
            return await ReportAsync(context, parsed, outcomes, cancellationToken);
        });
        return command;
    }

    private static async Task ReplayAsync(
        CommandContext context,
        ParseResult parsed,
        List<DeadLetterKey> keys,
        List<ReplayedLetter> replayed,
        List<ReplayOutcome> outcomes,
        CancellationToken cancellationToken)
    {
        await using var services = context.Services(parsed);
        using var progress = new Progress(context, "dead letters put back");
        var (deadLetters, queue) = (services.GetRequiredService<DeadLetters>(), services.GetRequiredService<WebhookQueue>());
        var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
        foreach (var key in keys)
        {
            var letter = await table.GetEntityIfExistsAsync<TableEntity>(key.Day, key.Row, cancellationToken: cancellationToken);
            if (!letter.HasValue || !await deadLetters.ReplayAsync(letter.Value!, queue, cancellationToken))
            {
                outcomes.Add(new ReplayOutcome(key, ReplayResult.Gone, "The body is gone."));
            }
            else if (DeadLetter.Of(letter.Value!).Reason == DeadLetterReason.Unreadable)
            {
                outcomes.Add(new ReplayOutcome(key, ReplayResult.SentBack, "If it still cannot be read, it becomes a new dead letter."));
            }
            else
            {
                var body = await deadLetters.ReadBodyAsync(letter.Value!, cancellationToken);
                _ = EmailEvent.TryParse(body, out var emailEvent, out _);
                replayed.Add(new ReplayedLetter(key, letter.Value!.ETag, emailEvent));
            }

            progress.Report(replayed.Count + outcomes.Count);
        }
    }

    private static async Task WatchAsync(
        CommandContext context,
        ParseResult parsed,
        List<ReplayedLetter> replayed,
        List<ReplayOutcome> outcomes,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        using var progress = new Progress(context, $"of {PlainText.Count(replayed.Count, "dead letter")} done");
        var watch = new ReplayWatch(context.Tables(parsed), context.Time);
        await foreach (var outcome in watch.WatchAsync(replayed, timeout, cancellationToken))
        {
            outcomes.Add(outcome);
            progress.Report(outcomes.Count);
        }
    }

    private static async Task<int> ReportAsync(
        CommandContext context, ParseResult parsed, List<ReplayOutcome> outcomes, CancellationToken cancellationToken)
    {
        if (context.IsJson(parsed))
        {
            foreach (var outcome in outcomes)
            {
                await context.Output.WriteJsonAsync(ToJson(outcome), cancellationToken);
            }
        }
        else
        {
            // Failures come first: they are what people need to look at.
            var drawn = outcomes.OrderBy(outcome => outcome.Result == ReplayResult.Stored).Take(MostDrawn).Select(Cells);
            await context.WriteLinesAsync(
                [
                    .. context.Lines([.. drawn], ["Id", "Outcome", "Detail"]),
                    .. outcomes.Count > MostDrawn ? [$"… and {PlainText.Number(outcomes.Count - MostDrawn)} more"] : (string[])[],
                    string.Empty,
                ],
                cancellationToken);
        }

        long Of(ReplayResult result) => outcomes.Count(outcome => outcome.Result == result);
        Figure[] figures =
        [
            new("stored", "Stored", Of(ReplayResult.Stored)),
            new("failedAgain", "Failed again", Of(ReplayResult.FailedAgain)),
            new("waiting", "Still waiting", Of(ReplayResult.Waiting)),
            new("sentBack", "Sent back as they were", Of(ReplayResult.SentBack)),
            new("gone", "Gone", Of(ReplayResult.Gone)),
        ];
        await context.ReportAsync(parsed, figures, cancellationToken);
        return Of(ReplayResult.Waiting) > 0
            ? throw new CommandFailedException("Not all were tried in time. Is the app running? `smtp2go-ingest check` shows the queue.")
            : Of(ReplayResult.FailedAgain) > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static Cell[] Cells(ReplayOutcome outcome) =>
    [
        Cell.Key(outcome.Key.ShortId),
        outcome.Result switch
        {
            ReplayResult.Stored => Cell.Key("stored", Tint.Good),
            ReplayResult.FailedAgain => Cell.Key("failed again", Tint.Bad),
            ReplayResult.Waiting => Cell.Key("still waiting", Tint.Warning),
            ReplayResult.SentBack => Cell.Key("sent back"),
            _ => Cell.Key("gone", Tint.Dim),
        },
        Cell.Text(outcome.Result == ReplayResult.Stored ? $"email {outcome.Detail}" : outcome.Detail),
    ];

    private static JsonObject ToJson(ReplayOutcome outcome) => new()
    {
        ["id"] = outcome.Key.Id,
        ["day"] = outcome.Key.Day,
        ["row"] = outcome.Key.Row,
        ["outcome"] = JsonNamingPolicy.CamelCase.ConvertName(outcome.Result.ToString()),
        [outcome.Result == ReplayResult.Stored ? "email" : "detail"] = outcome.Detail,
    };
}
