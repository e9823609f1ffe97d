using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>The rows of the two index tables, made of the stored row, so that all three tables agree.</summary>
public static class EventIndex
{
    /// <summary>The table that answers what happened to everything sent to an address.</summary>
    public const string ByRecipientTable = "Smtp2GoEventsByRecipient";

    /// <summary>The table that answers what bounced on a day.</summary>
    public const string ByDayTable = "Smtp2GoEventsByDay";

    /// <summary>The most recipients of one event that are indexed. The rest is left out, and the rows say so.</summary>
    public const int MaxRecipients = 1_000;

    /// <summary>The column with the recipient, as sent.</summary>
    public const string Recipient = "Recipient";

    /// <summary>The column with how many recipients the event has, those left out included.</summary>
    public const string RecipientCount = "RecipientCount";

    /// <summary>The column with the partition key of the event's own row.</summary>
    public const string EventPartitionKey = "EventPartitionKey";

    /// <summary>The column with the row key of the event's own row.</summary>
    public const string EventRowKey = "EventRowKey";

    /// <summary>Whom an event is about: the one recipient, else every one of an email's, else the number of an SMS.</summary>
    /// <param name="e">The event.</param>
    public static IReadOnlyList<string> RecipientsOf(EmailEvent e) =>
        e.Recipient is { } one ? [one]
        : e.Recipients.Count > 0 ? [.. e.Recipients.DistinctBy(EventKeys.RecipientPartitionKey)]
        : e.DestinationNumber is { } number ? [number]
        : [];

    /// <summary>The row of <see cref="ByDayTable"/>.</summary>
    /// <param name="e">The event.</param>
    /// <param name="stored">Its row in <c>Smtp2GoEvents</c>.</param>
    public static TableEntity ByDay(EmailEvent e, TableEntity stored) =>
        Copy(stored, EventKeys.DayPartitionKey(e), EventKeys.DayRowKey(e));

    /// <summary>The rows of <see cref="ByRecipientTable"/>, one for each recipient.</summary>
    /// <param name="e">The event.</param>
    /// <param name="stored">Its row in <c>Smtp2GoEvents</c>.</param>
    public static IEnumerable<TableEntity> ByRecipient(EmailEvent e, TableEntity stored)
    {
        var recipients = RecipientsOf(e);
        var rowKey = EventKeys.RecipientRowKey(e);
        foreach (var recipient in recipients.Take(MaxRecipients))
        {
            var row = Copy(stored, EventKeys.RecipientPartitionKey(recipient), rowKey);
            row[Recipient] = EventColumns.Cut(recipient, out _);
            row[RecipientCount] = recipients.Count;
            if (recipients.Count > 1)
            {
                row.Remove("recipients");
            }

            if (recipients.Count > MaxRecipients)
            {
                row[EventColumns.Truncated] = true;
            }

            yield return row;
        }
    }

    private static TableEntity Copy(TableEntity stored, string partitionKey, string rowKey)
    {
        var row = new TableEntity(partitionKey, rowKey) { [EventPartitionKey] = stored.PartitionKey, [EventRowKey] = stored.RowKey };
        foreach (var (name, value) in stored)
        {
            if (name is not ("PartitionKey" or "RowKey" or "Timestamp" or "odata.etag" or EventColumns.Body))
            {
                row[name] = value;
            }
        }

        return row;
    }
}
