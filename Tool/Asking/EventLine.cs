using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What is shown of one event. The texts are as stored and may hold control characters.</summary>
/// <param name="Recipients">The one recipient or all of them. A row of the recipient index names its own and counts the others.</param>
internal sealed record EventLine(
    DateTimeOffset? Time, string Event, bool IsTest, IReadOnlyList<string> Recipients, int OtherRecipients, string EmailId, string Says)
{
    /// <summary>The columns that <see cref="Of"/> reads; a large body stays in storage.</summary>
    public static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "event", "time", "received_timestamp", "rcpt", "recipients", "destination_number", "email_id",
        "message_id", "bounce", "url", "message", "status_code", ColumnNames.Recipient, ColumnNames.RecipientCount, ColumnNames.IsTest,
    ];

    public static EventLine Of(TableEntity row)
    {
        var one = TextIn(row, ColumnNames.Recipient) ?? TextIn(row, "rcpt");
        return new EventLine(
            TimeIn(row, "time") ?? TimeIn(row, "received_timestamp"),
            TextIn(row, "event") ?? string.Empty,
            row.TryGetValue(ColumnNames.IsTest, out var test) && test is true,
            one is not null ? [one] : (TextIn(row, "recipients") ?? TextIn(row, "destination_number"))?.Split(',') ?? [],
            row.TryGetValue(ColumnNames.RecipientCount, out var count) && count is int and > 1 ? (int)count - 1 : 0,
            TextIn(row, "email_id") ?? (TextIn(row, "message_id") is { } sms ? $"sms-{sms}" : string.Empty),
            string.Join(' ', Present(TextIn(row, "bounce"), TextIn(row, "url") ?? TextIn(row, "message") ?? TextIn(row, "status_code"))));
    }

    private static IEnumerable<string> Present(params IEnumerable<string?> texts) => texts.OfType<string>();

    // A column may be of another type than usual where its value did not parse.
    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text and not "Unavailable" ? text : null;

    private static DateTimeOffset? TimeIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is DateTimeOffset time ? time : null;
}
