using System.Buffers;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events as CSV (RFC 4180, lines end in LF).</summary>
internal static class EventCsv
{
    private const string Other = "other";

    // Fixed, whatever is stored: a header that never changes, and memory that does not grow with the range.
    private static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "event", "time", "email_id", "rcpt", "recipients", "bounce", "message", "context", "host", "subject",
        "sender", "from", "from_address", "from_name", "message_id", "id", "auth", "srchost", "url", "user_agent", "read_secs", "client",
        "client_device", "client_os", "geoip_continent", "geoip_country", "geoip_city", "opened_at", "clicked_at", "sendtime",
        "destination_number", "source_number", "message_content", "status_code", "region", "retry_count", "submitted_timestamp",
        "received_timestamp", "sender_email", "email_subject",
        ColumnNames.ReceivedAt, ColumnNames.WebhookId, ColumnNames.ContentType, ColumnNames.BodyBlob, ColumnNames.IsTest,
        ColumnNames.Truncated,
    ];

    private static readonly HashSet<string> NotOther = [.. Columns, "odata.etag", "Timestamp"];

    private static readonly SearchValues<char> ToBeQuoted = SearchValues.Create("\",\r\n");

    public static async Task<long> WriteAsync(
        TextWriter output, IAsyncEnumerable<TableEntity> rows, Progress progress, CancellationToken cancellationToken)
    {
        var count = 0L;
        await output.WriteLineAsync(string.Join(',', Columns.Append(Other)).AsMemory(), cancellationToken);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            var other = JsonLines.ToJson(row.Where(column => column.Value is not null && !NotOther.Contains(column.Key)));
            var fields = Columns
                .Select(column => row.TryGetValue(column, out var value) && value is not null ? JsonLines.ToText(value) : string.Empty)
                .Append(other.Count > 0 ? JsonLines.ToText(other) : string.Empty);
            await output.WriteLineAsync(string.Join(',', fields.Select(Quote)).AsMemory(), cancellationToken);
            progress.Report(++count);
        }

        return count;
    }

    private static string Quote(string field) =>
        field.AsSpan().ContainsAny(ToBeQuoted) ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
