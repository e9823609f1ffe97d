namespace Smtp2GoIngest.Storing;

/// <summary>The names of our own columns, in PascalCase. SMTP2GO's fields keep the names that SMTP2GO gives them.</summary>
internal static class ColumnNames
{
    public const string WebhookId = "WebhookId";
    public const string ReceivedAt = "ReceivedAt";
    public const string ContentType = "ContentType";

    /// <summary>The exact body, where the row can hold it.</summary>
    public const string Body = "Body";

    /// <summary>The blob with the exact body, where the row cannot.</summary>
    public const string BodyBlob = "BodyBlob";

    public const string IsTest = "IsTest";

    /// <summary>A value was cut or a field left out for a limit of the table; the body has it whole.</summary>
    public const string Truncated = "Truncated";

    /// <summary>An address was taken out of the event after it was stored.</summary>
    public const string Redacted = "Redacted";

    /// <summary>In the index by recipient: the recipient as sent.</summary>
    public const string Recipient = "Recipient";

    /// <summary>In the index by recipient: how many recipients the event has, those left out included.</summary>
    public const string RecipientCount = "RecipientCount";

    /// <summary>In both indexes: the partition key of the event's own row.</summary>
    public const string EventPartitionKey = "EventPartitionKey";

    /// <summary>In both indexes: the row key of the event's own row.</summary>
    public const string EventRowKey = "EventRowKey";

    /// <summary>Of a dead letter: one of <see cref="DeadLetterReason"/>.</summary>
    public const string Reason = "Reason";

    /// <summary>Of a dead letter: what went wrong, without any of the body.</summary>
    public const string Error = "Error";

    /// <summary>Of an unreadable dead letter: its text is one webhook of a message and not the whole message.</summary>
    public const string IsEntry = "IsEntry";

    /// <summary>
    /// Of a dead letter: true while somebody finds out whether it is stored, false where that failed and is to be tried again.
    /// </summary>
    public const string IsAsking = "IsAsking";
}
