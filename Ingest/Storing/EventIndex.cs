using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>The rows of the two index tables, built from the stored row, so that all three tables agree.</summary>
public static class EventIndex
{
    /// <summary>The table that answers what happened to everything sent to an address.</summary>
    public const string ByRecipientTable = "Smtp2GoEventsByRecipient";

    /// <summary>The table that answers what bounced on a day.</summary>
    public const string ByDayTable = "Smtp2GoEventsByDay";

    /// <summary>The most recipients of one event that are indexed. The rest are left out, and the rows say so.</summary>
    public const int MaxRecipients = 1_000;

    private static readonly string[] KeyFields =
    [
        "event", "id", "email_id", "message_id", "rcpt", "recipients", "destination_number", "time", "received_timestamp",
        "submitted_timestamp",
    ];

    /// <summary>Whom an event is about: its own recipient, else all of the email's recipients, else an SMS's number.</summary>
    public static IReadOnlyList<string> RecipientsOf(EmailEvent e) =>
        e.About.Count + e.Recipients.Count > 0
            ? [.. (e.About.Count > 0 ? e.About : e.Recipients).DistinctBy(EventKeys.RecipientPartitionKey)]
        : e.DestinationNumber is { } number ? [number.Trim()]
        : [];

    /// <summary>The row of <see cref="ByDayTable"/>.</summary>
    public static TableEntity ByDay(EmailEvent e, TableEntity stored) =>
        Copy(stored, EventKeys.DayPartitionKey(e), EventKeys.DayRowKey(e));

    /// <summary>The rows of <see cref="ByRecipientTable"/>, one for each recipient.</summary>
    public static IEnumerable<TableEntity> ByRecipient(EmailEvent e, TableEntity stored)
    {
        var recipients = RecipientsOf(e);
        var rowKey = EventKeys.RecipientRowKey(e);
        var host = e.ValueOf("host");
        foreach (var recipient in recipients.Take(MaxRecipients))
        {
            var row = Copy(stored, EventKeys.RecipientPartitionKey(recipient), rowKey);
            row[ColumnNames.Recipient] = TableLimits.Cut(recipient, out _);
            row[ColumnNames.RecipientCount] = recipients.Count;
            if (recipients.Count > 1)
            {
                row.Remove("recipients");
            }

            if (recipients.Count > MaxRecipients)
            {
                row[ColumnNames.Truncated] = true;
            }

            var domain = RecipientDomain.Of(recipient);
            Set(row, ColumnNames.RecipientDomain, domain);
            Set(row, ColumnNames.MailboxProvider, MailboxProvider.Of(host, domain));
            yield return row;
        }
    }

    /// <summary>Whether a row in one of the tables is built from an event.</summary>
    internal static bool Makes(EmailEvent e, TableEntity stored, string table, TableEntity row) =>
        (table == ByDayTable ? [ByDay(e, stored)] : ByRecipient(e, stored))
            .Any(made => (made.PartitionKey, made.RowKey) == (row.PartitionKey, row.RowKey));

    /// <summary>As much of an event as its keys need, from the columns of one of its rows; null if they name no event.</summary>
    internal static EmailEvent? EventOf(TableEntity row)
    {
        var fields = KeyFields
            .Where(name => row.TryGetValue(name, out var value) && value is not null)
            .Select(name => EventColumns.ToField(name, row[name]));
        return EmailEvent.TryCreate([.. fields], out var e) ? e : null;
    }

    // An event with as many fields as fit leaves no room for both.
    private static void Set(TableEntity row, string name, string? fact)
    {
        if (fact is not null && (row.ContainsKey(name) || row.Keys.Count(key => !IsSystem(key)) < TableLimits.MaxColumns))
        {
            row[name] = fact;
        }
    }

    private static bool IsSystem(string name) => name is "PartitionKey" or "RowKey" or "Timestamp" or "odata.etag";

    private static TableEntity Copy(TableEntity stored, string partitionKey, string rowKey)
    {
        var row = new TableEntity(partitionKey, rowKey)
        {
            [ColumnNames.EventPartitionKey] = stored.PartitionKey,
            [ColumnNames.EventRowKey] = stored.RowKey,
        };
        foreach (var (name, value) in stored)
        {
            if (!IsSystem(name) && name != ColumnNames.Body)
            {
                row[name] = value;
            }
        }

        return row;
    }
}
