using System.CommandLine;
using System.Globalization;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterListCommand
{
    private const int DefaultLimit = 20;

    private static readonly string[] JsonColumns =
    [
        .. DeadLetter.Columns, "Timestamp", ColumnNames.ContentType, ColumnNames.WebhookId, ColumnNames.BodyBlob,
    ];

    public static Command Create(CommandContext context)
    {
        var reason = DeadLetterSelection.ReasonOption();
        var limit = ArgumentParsing.Limit($"Show at most n for each reason, oldest first; {DefaultLimit} by default, or all with --json.");
        var command = new Command("list", "Lists dead letters by reason, with id, age, size and error.") { reason, limit };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await (context.IsJson(parsed)
                ? WriteJsonAsync(context, parsed, parsed.GetValue(reason), parsed.GetValue(limit), cancellationToken)
                : DrawAsync(context, parsed, parsed.GetValue(reason), parsed.GetValue(limit) ?? DefaultLimit, cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task WriteJsonAsync(
        CommandContext context, ParseResult parsed, string? reason, int? limit, CancellationToken cancellationToken)
    {
        var filter = reason is null ? null : DeadLetterQueries.OfReason(reason);
        var rows = context.Tables(parsed).RowsAsync(DeadLetters.TableName, filter, JsonColumns, cancellationToken);
        var written = new Dictionary<string, int>();
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            var letter = DeadLetter.Of(row);
            var count = written[letter.Reason] = written.GetValueOrDefault(letter.Reason) + 1;
            if (count <= (limit ?? int.MaxValue))
            {
                row["Id"] = letter.Key.Id;
                await context.Output.WriteJsonAsync(row, cancellationToken);
            }
        }
    }

    private static async Task DrawAsync(
        CommandContext context, ParseResult parsed, string? reason, int most, CancellationToken cancellationToken)
    {
        var (groups, _) = await DeadLetterQueries.GroupAsync(context.Tables(parsed), reason, most, int.MaxValue, cancellationToken);
        if (groups.Count == 0)
        {
            var none = $"No dead letters{(reason is null ? string.Empty : $" with reason {reason}")}.";
            await context.WriteLinesAsync([none], cancellationToken);
        }

        foreach (var group in groups)
        {
            var sizes = await DeadLettersOfReason.SizesAsync(
                context.Tables(parsed), context.Blobs(parsed), group.Oldest, cancellationToken);
            var rows = group.Oldest.Select((letter, i) => (Cell[])
            [
                Cell.Key(letter.Key.ShortId),
                Cell.Number(letter.ReceivedAt is { } at ? TimeText.Of(context.Time.GetUtcNow() - at) : string.Empty),
                Cell.Number(sizes[i] is { } bytes ? Size(bytes) : "gone"),
                Cell.Text(letter.Error),
            ]);
            await context.WriteLinesAsync(
                [
                    .. group == groups[0] ? [] : (string[])[string.Empty],
                    $"{PlainText.Of(group.Reason)}: {PlainText.Count(group.Count, "dead letter")}",
                    .. context.Lines([.. rows], ["Id", "Age", "Body", "Error"]),
                    .. group.Count > most ? [$"… and {PlainText.Number(group.Count - most)} more"] : (string[])[],
                ],
                cancellationToken);
        }
    }

    private static string Size(long bytes) => bytes < 1_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_000.0:N0} kB");
}
