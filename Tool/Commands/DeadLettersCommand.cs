using System.CommandLine;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What was acknowledged but could not be stored as an event.</summary>
internal static class DeadLettersCommand
{
    private static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "Timestamp", ColumnNames.ReceivedAt, ColumnNames.Reason, ColumnNames.Error,
        ColumnNames.ContentType, ColumnNames.WebhookId, ColumnNames.BodyBlob,
    ];

    private static readonly RowList Letters = new(["Day", "Row", "Reason", "Error"], Cells, Columns, Columns);

    public static Command Create(CommandContext context) =>
        new("dead-letters", "Webhooks that were acknowledged but could not be stored as events.")
        {
            List(context),
            Show(context),
            DeadLetterReplayCommand.Create(context),
            DeadLetterDropCommand.Create(context),
        };

    private static Command List(CommandContext context)
    {
        var reason = new Option<string?>("--reason") { Description = DeadLetterSelection.Reasons };
        var command = new Command("list", "Lists dead letters, oldest first, with day, row, reason and error.") { reason };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var filter = parsed.GetValue(reason) is { } one ? DeadLetterQueries.OfReason(one) : null;
            return await Letters.WriteAsync(
                context, parsed, DeadLetters.TableName, [filter], limit: null, DeadLetterSelection.NothingFound, cancellationToken);
        });
        return command;
    }

    private static Command Show(CommandContext context)
    {
        var day = new Argument<string>("day") { Description = "The dead letter's day, as list shows it." };
        var row = new Argument<string>("row") { Description = "Its row, as list shows it." };
        var command = new Command("show", "Shows one dead letter with its whole body.") { day, row };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var letter = await DeadLetterQueries.ReadAsync(
                context.Tables(parsed),
                new WebhookBlobs(context.Blobs(parsed)),
                parsed.GetRequiredValue(day),
                parsed.GetRequiredValue(row),
                cancellationToken);
            if (letter is null)
            {
                return await context.NothingFoundAsync(
                    "No such dead letter. `smtp2go-ingest dead-letters list` shows the day and row of each.");
            }

            await (context.IsJson(parsed)
                ? context.Output.WriteJsonAsync(letter, cancellationToken)
                : DrawAsync(context, letter, cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task DrawAsync(CommandContext context, TableEntity letter, CancellationToken cancellationToken)
    {
        var columns = letter.Where(column => column.Key is not ("odata.etag" or ColumnNames.Body) && column.Value is not null);
        await context.WriteLinesAsync(
            context.Lines([.. columns.Select(column => (Cell[])[Cell.Key(column.Key), Cell.Text(JsonLines.ToText(column.Value))])]),
            cancellationToken);
        await context.WriteLinesAsync([string.Empty], cancellationToken);

        // Line by line: the body keeps its lines, and nothing in it steers the terminal.
        foreach (var line in (letter.GetString(ColumnNames.Body) ?? "The body is gone.").Split('\n'))
        {
            await context.Output.WriteLineAsync(PlainText.Of(line.TrimEnd('\r')).AsMemory(), cancellationToken);
        }
    }

    private static Cell[] Cells(TableEntity row)
    {
        return
        [
            Cell.Key(row.PartitionKey), Cell.Key(row.RowKey), Cell.Key(TextOf(ColumnNames.Reason)),
            Cell.Text(TextOf(ColumnNames.Error)),
        ];

        string TextOf(string column) =>
            row.TryGetValue(column, out var value) && value is not null ? JsonLines.ToText(value) : string.Empty;
    }
}
