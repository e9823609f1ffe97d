using System.Buffers;
using System.CommandLine;
using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events of a range of days as a file for other programs.</summary>
internal static class ExportCommand
{
    private const string Csv = "csv";
    private const string Ndjson = "ndjson";
    private const string Other = "other";

    /// <summary>The columns of a CSV, whatever is stored: a header that never changes, and memory that does not grow with the range.</summary>
    private static readonly string[] CsvColumns =
    [
        "PartitionKey", "RowKey", "event", "time", "email_id", "rcpt", "recipients", "bounce", "message", "context", "host", "subject",
        "sender", "from", "from_address", "from_name", "message_id", "id", "auth", "srchost", "url", "user_agent", "read_secs", "client",
        "client_device", "client_os", "geoip_continent", "geoip_country", "geoip_city", "opened_at", "clicked_at", "sendtime",
        "destination_number", "source_number", "message_content", "status_code", "region", "retry_count", "submitted_timestamp",
        "received_timestamp", "sender_email", "email_subject",
        ColumnNames.ReceivedAt, ColumnNames.WebhookId, ColumnNames.ContentType, ColumnNames.BodyBlob, ColumnNames.IsTest, ColumnNames.Truncated,
    ];

    private static readonly SearchValues<char> ToBeQuoted = SearchValues.Create("\",\r\n");

    public static Command Create(CommandContext context)
    {
        var from = new Argument<string>("from") { Description = "The first day, UTC: 2026-05-01.", CustomParser = ArgumentParsing.Parse };
        var to = new Argument<string>("to") { Description = "The last day, included.", CustomParser = ArgumentParsing.Parse };
        var format = new Option<string>("--format") { Description = "csv: fixed columns and one named other with the rest as JSON; ndjson: every column.", DefaultValueFactory = _ => Ndjson };
        format.AcceptOnlyFromAmong(Csv, Ndjson);
        var file = new Option<string?>("--output") { Description = "The file to write, replaced when everything is written; standard output unless given." };
        var command = new Command("export", "Every event of a range of days, by day and event, without bodies.") { from, to, format, file };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (first, last) = (parsed.GetRequiredValue(from), parsed.GetRequiredValue(to));
            if (string.CompareOrdinal(first, last) > 0)
            {
                throw new CommandFailedException($"{first} is after {last}: give the first day first.", ExitCode.WrongUsage);
            }

            var rows = context.Tables(parsed).RowsAsync(EventIndex.ByDayTable, EventQueries.OfDays(first, last), null, cancellationToken);
            using var progress = new Progress(context, "events");
            var count = await WriteToAsync(parsed.GetValue(file), context.Output, output => parsed.GetValue(format) == Csv
                ? WriteCsvAsync(output, rows, progress, cancellationToken)
                : WriteNdjsonAsync(output, rows, progress, cancellationToken));
            return count > 0 ? ExitCode.Done : await context.NothingFoundAsync($"No event is stored from {first} to {last}.");
        });
        return command;
    }

    // An export that ends early never passes for a whole one.
    private static async Task<int> WriteToAsync(string? file, TextWriter standardOutput, Func<TextWriter, Task<int>> write)
    {
        if (file is null)
        {
            return await write(standardOutput);
        }

        var part = file + ".part";
        try
        {
            int count;
            await using (var output = new StreamWriter(part, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" })
            {
                count = await write(output);
            }

            File.Move(part, file, overwrite: true);
            return count;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    private static async Task<int> WriteNdjsonAsync(TextWriter output, IAsyncEnumerable<TableEntity> rows, Progress progress, CancellationToken cancellationToken)
    {
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            await output.WriteJsonAsync(row, cancellationToken);
            progress.Add();
        }

        return progress.Count;
    }

    private static async Task<int> WriteCsvAsync(TextWriter output, IAsyncEnumerable<TableEntity> rows, Progress progress, CancellationToken cancellationToken)
    {
        var known = CsvColumns.ToHashSet(StringComparer.Ordinal);
        await output.WriteLineAsync(string.Join(',', CsvColumns.Append(Other)).AsMemory(), cancellationToken);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            var other = JsonLines.ToJson(row.Where(column => !known.Contains(column.Key) && column is { Key: not ("odata.etag" or "Timestamp"), Value: not null }));
            var fields = CsvColumns.Select(column => row.TryGetValue(column, out var value) && value is not null ? JsonLines.ToText(value) : string.Empty)
                .Append(other.Count > 0 ? JsonLines.ToText(other) : string.Empty);
            await output.WriteLineAsync(string.Join(',', fields.Select(Quote)).AsMemory(), cancellationToken);
            progress.Add();
        }

        return progress.Count;
    }

    private static string Quote(string field) =>
        field.AsSpan().ContainsAny(ToBeQuoted) ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
