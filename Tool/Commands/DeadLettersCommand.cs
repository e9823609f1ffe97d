using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What was acknowledged and could not be stored as an event.</summary>
internal static class DeadLettersCommand
{
    private const int RowsPerPage = 500;

    // Side by side; one that another has dropped meanwhile is no failure.
    private const int MaxParallel = 16;

    private static readonly string[] ListColumns = ["PartitionKey", "RowKey", "Timestamp", ColumnNames.ReceivedAt, "Reason", "Error", ColumnNames.ContentType, ColumnNames.WebhookId, ColumnNames.BodyBlob];

    public static Command Create(CommandContext context) => new("dead-letters", "What was acknowledged and could not be stored as an event.")
    {
        List(context),
        Show(context),
        MaintenanceCommands.Replay(context),
        Drop(context),
    };

    private static Command List(CommandContext context)
    {
        var reason = Reason();
        var command = new Command("list", "Dead letters, the oldest first, with day, row, reason and error.") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var count = 0;
            var page = NewPage();
            await foreach (var row in context.Tables(parsed).RowsAsync(DeadLetters.TableName, Filter(parsed.GetValue(reason)), ListColumns, cancellationToken))
            {
                count++;
                if (context.IsJson(parsed))
                {
                    await context.Output.WriteJsonAsync(row, cancellationToken);
                    continue;
                }

                page.AddRow(new Text(row.PartitionKey), new Text(row.RowKey), Cell(row, "Reason"), Cell(row, "Error"), Cell(row, ColumnNames.ContentType));
                if (page.Rows.Count == RowsPerPage)
                {
                    context.Console.Write(page);
                    page = NewPage();
                }
            }

            if (page.Rows.Count > 0)
            {
                context.Console.Write(page);
            }

            return count > 0 ? ExitCode.Done : await context.NothingFoundAsync("There is no such dead letter.");
        });
        return command;

        static Table NewPage() => new Table().RoundedBorder().AddColumns("Day", "Row", "Reason", "Error", "Content type");
    }

    private static Command Show(CommandContext context)
    {
        var (day, row) = (Day(), new Argument<string>("row") { Description = "Its row, as list shows it." });
        var command = new Command("show", "One dead letter with its whole body.") { day, row };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var filter = TableClient.CreateQueryFilter($"PartitionKey eq {parsed.GetRequiredValue(day)} and RowKey eq {parsed.GetRequiredValue(row)}");
            await foreach (var letter in context.Tables(parsed).RowsAsync(DeadLetters.TableName, filter, null, cancellationToken))
            {
                if (letter.TryGetValue(ColumnNames.BodyBlob, out var name) && name is string blob
                    && await new WebhookBlobs(context.Blobs(parsed)).ReadAsync(blob, cancellationToken) is { } body)
                {
                    letter[ColumnNames.Body] = body.ToString();
                }

                await WriteAsync(context, parsed, letter, cancellationToken);
                return ExitCode.Done;
            }

            return await context.NothingFoundAsync("There is no such dead letter; `smtp2go-ingest dead-letters list` shows day and row of each.");
        });
        return command;
    }

    private static async Task WriteAsync(CommandContext context, ParseResult parsed, TableEntity letter, CancellationToken cancellationToken)
    {
        if (context.IsJson(parsed))
        {
            await context.Output.WriteJsonAsync(letter, cancellationToken);
            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (column, value) in letter.Where(column => column.Key is not ("odata.etag" or ColumnNames.Body) && column.Value is not null))
        {
            grid.AddRow(new Text(column), new Text(EventList.Plain(JsonLines.ToText(value))));
        }

        context.Console.Write(grid);
        context.Console.WriteLine();

        // Line by line: the body keeps its lines, and nothing in it steers the terminal.
        foreach (var line in (letter.GetString(ColumnNames.Body) ?? "The body is gone.").Split('\n'))
        {
            await context.Output.WriteLineAsync(EventList.Plain(line.TrimEnd('\r')).AsMemory(), cancellationToken);
        }
    }

    private static Command Drop(CommandContext context)
    {
        var day = new Argument<string?>("day") { Description = "Its day, as list shows it.", Arity = ArgumentArity.ZeroOrOne };
        var rows = new Argument<string[]>("row") { Description = "Rows of that day.", Arity = ArgumentArity.ZeroOrMore };
        var reason = Reason();
        var yes = new Option<bool>("--yes") { Description = "Drop them; without it they are only counted." };
        var command = new Command("drop", "Deletes dead letters for good: those named, or all of one reason.") { day, rows, reason, yes };
        command.Validators.Add(command => Validate(command, day, rows, reason));
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
            var letters = FindAsync(context, parsed, parsed.GetValue(day), parsed.GetValue(rows) ?? [], parsed.GetValue(reason), cancellationToken);
            if (!parsed.GetValue(yes))
            {
                var found = await letters.CountAsync(cancellationToken);
                return found == 0 ? await context.NothingFoundAsync("There is no such dead letter.")
                    : throw new CommandFailedException($"{found} dead letters and their bodies would be gone for good: say --yes to drop them.", ExitCode.WrongUsage);
            }

            var dropped = 0;
            using (var progress = new Progress(context, "dead letters"))
            {
                await Parallel.ForEachAsync(
                    letters,
                    new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                    async (letter, token) =>
                    {
                        using var answer = await table.DeleteEntityAsync(letter.PartitionKey, letter.RowKey, ETag.All, token);
                        Interlocked.Add(ref dropped, answer.IsError ? 0 : 1);
                        lock (progress)
                        {
                            progress.Add();
                        }
                    });
            }

            if (dropped == 0)
            {
                return await context.NothingFoundAsync("There is no such dead letter.");
            }

            await (context.IsJson(parsed)
                ? context.Output.WriteJsonAsync(new JsonObject { ["dropped"] = dropped }, cancellationToken)
                : context.Output.WriteLineAsync(FormattableString.Invariant($"{dropped} dead letters dropped.").AsMemory(), cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Validate(CommandResult command, Argument<string?> day, Argument<string[]> rows, Option<string?> reason)
    {
        var (named, byReason) = (command.GetValue(rows) is { Length: > 0 }, command.GetValue(reason) is not null);
        if (named == byReason || (byReason && command.GetValue(day) is not null))
        {
            command.AddError("Give either a day and its rows, or --reason.");
        }
    }

    private static async IAsyncEnumerable<TableEntity> FindAsync(
        CommandContext context, ParseResult parsed, string? day, string[] rows, string? reason,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filters = reason is not null
            ? [TableClient.CreateQueryFilter($"Reason eq {reason}")]
            : rows.Distinct().Select(row => TableClient.CreateQueryFilter($"PartitionKey eq {day} and RowKey eq {row}"));
        foreach (var filter in filters)
        {
            await foreach (var letter in context.Tables(parsed).RowsAsync(DeadLetters.TableName, filter, ["PartitionKey", "RowKey"], cancellationToken))
            {
                yield return letter;
            }
        }
    }

    private static Argument<string> Day() => new("day") { Description = "Its day, as list shows it." };

    private static Option<string?> Reason() => new("--reason") { Description = "Only of this reason: no-event, unparsable, conflict, refused, blob-missing, unreadable, poison." };

    private static string? Filter(string? reason) => reason is null ? null : TableClient.CreateQueryFilter($"Reason eq {reason}");

    private static Text Cell(TableEntity row, string column) => new(row.TryGetValue(column, out var value) && value is not null ? EventList.Plain(JsonLines.ToText(value)) : string.Empty);
}
