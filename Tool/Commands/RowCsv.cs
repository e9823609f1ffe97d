using System.Buffers;
using System.Text;
using Azure.Data.Tables;
using CsvHelper;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Writes rows as CSV (RFC 4180, lines end in LF).</summary>
/// <param name="columns">Fixed, whatever is stored: a header that never changes, and memory that does not grow with the rows.</param>
/// <param name="hasOther">Whether a last column has all other columns as JSON.</param>
/// <param name="isExact">
/// Values exactly as they are, for programs. Otherwise for a spreadsheet: with a byte order mark, and no text can act as a formula.
/// </param>
internal sealed class RowCsv(TextWriter output, IReadOnlyList<string> columns, bool hasOther, bool isExact)
{
    private const string ByteOrderMark = "\ufeff";
    private const string Other = "other";

    private static readonly string[] OfEvents =
    [
        "PartitionKey", "RowKey", "event", "time", "email_id", "rcpt", "recipients", "bounce", "message", "context", "host", "subject",
        "sender", "from", "from_address", "from_name", "message_id", "id", "auth", "srchost", "url", "user_agent", "read_secs", "client",
        "client_device", "client_os", "geoip_continent", "geoip_country", "geoip_city", "opened_at", "clicked_at", "sendtime",
        "destination_number", "source_number", "message_content", "status_code", "region", "retry_count", "submitted_timestamp",
        "received_timestamp", "sender_email", "email_subject",
        ColumnNames.ReceivedAt, ColumnNames.WebhookId, ColumnNames.ContentType, ColumnNames.BodyBlob, ColumnNames.IsTest,
        ColumnNames.Truncated, .. ColumnNames.Facts,
    ];

    private static readonly CsvWriterOptions Options = new() { NewLine = "\n" };

    // The list is OWASP's. It includes full-width forms, which some spreadsheets treat the same.
    private static readonly SearchValues<char> Formula = SearchValues.Create("=+-@＝＋－＠\t\r\n");

    private readonly HashSet<string> notOther = [.. columns, "odata.etag", "Timestamp"];

    // It writes UTF-8 itself: through a writer, that would be decoded to text and encoded again.
    private readonly CsvWriter csv = output is StreamWriter { Encoding: UTF8Encoding } writer
        ? CsvWriter.Create(writer.BaseStream, Options, leaveOpen: true)
        : CsvWriter.Create(output, Options, leaveOpen: true);

    public static RowCsv Events(TextWriter output, bool isExact) => new(output, OfEvents, hasOther: true, isExact);

    public async Task WriteHeaderAsync(CancellationToken cancellationToken)
    {
        // The byte order mark is part of the first name, so that it is written the same way.
        csv.WriteField((isExact ? string.Empty : ByteOrderMark) + columns[0]);
        await csv.WriteRecordAsync([.. columns.Skip(1), .. hasOther ? [Other] : (string[])[]], cancellationToken);
    }

    public async Task WriteAsync(TableEntity row, CancellationToken cancellationToken)
    {
        foreach (var column in columns)
        {
            csv.WriteField(row.TryGetValue(column, out var value) && value is not null ? TextOf(value) : string.Empty);
        }

        if (hasOther)
        {
            var other = JsonLines.ToJson(row.Where(column => column.Value is not null && !notOther.Contains(column.Key)));
            csv.WriteField(other.Count > 0 ? TextOf(JsonLines.ToText(other)) : string.Empty);
        }

        await csv.EndRecordAsync(cancellationToken);
    }

    /// <summary>Everything is in the output after this.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken) => await csv.FlushAsync(cancellationToken);

    /// <summary>A text that no spreadsheet takes for a formula, even one that separates cells by semicolons or tabs.</summary>
    internal static string Safe(string text)
    {
        StringBuilder? safe = null;
        var written = 0;
        for (var at = NextFrom(0); at >= 0; at = NextFrom(at + 1))
        {
            if (BeginsCell(text.AsSpan(0, at), text[at]))
            {
                (safe ??= new StringBuilder()).Append(text, written, at - written).Append('\'');
                written = at;
            }
        }

        return safe?.Append(text, written, text.Length - written).ToString() ?? text;

        int NextFrom(int start) => text.AsSpan(start).IndexOfAny(Formula) is var next and >= 0 ? start + next : -1;
    }

    // Where a spreadsheet separates cells by semicolons, quotes that begin inside a cell do not count: a semicolon or a line break in a
    // text ends it. A comma does not: a text with one is in quotes from its beginning.
    private static bool BeginsCell(ReadOnlySpan<char> before, char c) =>
        before.IsEmpty || (!char.IsControl(c) && before.TrimEnd("\" ") is [] or [.., ';' or '\t' or '\r' or '\n']);

    // A number or a time is never a formula.
    private string TextOf(object value) => value is string text && !isExact ? Safe(text) : JsonLines.ToText(value);
}
