using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>As much of a stored event as is compared, from its row in <c>Smtp2GoEventsByDay</c>.</summary>
/// <param name="Time">The event's time, as its key has it.</param>
/// <param name="Id">SMTP2GO's, or that of <see cref="FilledIn"/>.</param>
/// <param name="IsFilledIn">It came from <c>/activity/search</c>, not from a webhook.</param>
public sealed record StoredEntry(
    EventGroup Group,
    DateTimeOffset Time,
    string? Id,
    bool IsFilledIn,
    string EventPartitionKey,
    string EventRowKey,
    string DayPartitionKey,
    string DayRowKey)
{
    /// <summary>The columns that <see cref="TryRead"/> reads.</summary>
    internal static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "event", "bounce", "email_id", "rcpt", "id", FilledIn.Source, ColumnNames.IsTest,
        ColumnNames.EventPartitionKey, ColumnNames.EventRowKey,
    ];

    /// <returns>Null, and why it cannot be compared.</returns>
    internal static StoredEntry? TryRead(TableEntity row, out NotComparable reason)
    {
        var (emailId, address) = (TextIn(row, "email_id"), TextIn(row, "rcpt"));
        var kind = EventKind.OfRow(TextIn(row, "event"), TextIn(row, "bounce"));
        reason = row.TryGetValue(ColumnNames.IsTest, out var test) && test is true ? NotComparable.TestEvent
            : emailId is not null && kind is { IsOfEmail: false } && address is null ? NotComparable.NoRecipient
            : NotComparable.NoEmailId;
        return reason == NotComparable.NoEmailId
            && emailId is not null
            && kind is not null
            && EventKeys.TimeOf(row.RowKey) is { } time
            && TextIn(row, ColumnNames.EventPartitionKey) is { } partitionKey
            && TextIn(row, ColumnNames.EventRowKey) is { } rowKey
                ? new StoredEntry(
                    EventGroup.Of(emailId, kind, address),
                    time,
                    TextIn(row, "id"),
                    TextIn(row, FilledIn.Source) == FilledIn.Activity,
                    partitionKey,
                    rowKey,
                    row.PartitionKey,
                    row.RowKey)
                : null;
    }

    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text && !FieldTypes.IsMissing(text) ? text : null;
}
