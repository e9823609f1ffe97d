namespace Smtp2GoIngest.Storing;

/// <summary>The names of our own columns, in PascalCase. SMTP2GO's fields keep the names that SMTP2GO gives them.</summary>
internal static class ColumnNames
{
    public const string WebhookId = "WebhookId";
    public const string ReceivedAt = "ReceivedAt";
    public const string ContentType = "ContentType";

    /// <summary>The exact body, if it fits into the row.</summary>
    public const string Body = "Body";

    /// <summary>The blob with the exact body, if it does not fit into the row.</summary>
    public const string BodyBlob = "BodyBlob";

    public const string IsTest = "IsTest";

    /// <summary>These eight are facts: <see cref="Classifying.EventFacts"/>.</summary>
    public const string RecipientDomain = "RecipientDomain";
    public const string MailboxProvider = "MailboxProvider";
    public const string SmtpCode = "SmtpCode";
    public const string EnhancedCode = "EnhancedCode";
    public const string BounceClass = "BounceClass";
    public const string DeliverySeconds = "DeliverySeconds";
    public const string LikelyMachine = "LikelyMachine";
    public const string MachineReason = "MachineReason";

    /// <summary>The eight, in this order.</summary>
    public static readonly IReadOnlyList<string> Facts =
        [RecipientDomain, MailboxProvider, SmtpCode, EnhancedCode, BounceClass, DeliverySeconds, LikelyMachine, MachineReason];

    /// <summary>A value was cut or a field left out because of a table limit; the body has all of it.</summary>
    public const string Truncated = "Truncated";

    /// <summary>An address was removed from the event after it was stored.</summary>
    public const string Redacted = "Redacted";

    /// <summary>In the index by recipient: the recipient as sent.</summary>
    public const string Recipient = "Recipient";

    /// <summary>In the index by recipient: how many recipients the event has, including those left out.</summary>
    public const string RecipientCount = "RecipientCount";

    /// <summary>In both indexes: the partition key of the event's own row.</summary>
    public const string EventPartitionKey = "EventPartitionKey";

    /// <summary>In both indexes: the row key of the event's own row.</summary>
    public const string EventRowKey = "EventRowKey";

    /// <summary>These four are in Smtp2GoRecipients: what is known about mail to an address.</summary>
    public const string State = "State";
    public const string StateSince = "StateSince";
    public const string LastEvent = "LastEvent";
    public const string LastDelivered = "LastDelivered";

    /// <summary>In a dead letter: one of <see cref="DeadLetterReason"/>.</summary>
    public const string Reason = "Reason";

    /// <summary>In a dead letter: what went wrong, without any part of the body.</summary>
    public const string Error = "Error";

    /// <summary>In an unreadable dead letter: its text is one webhook of a message, not the whole message.</summary>
    public const string IsEntry = "IsEntry";

    /// <summary>
    /// In a dead letter: true while a call finds out whether its event is stored; false if that failed and must be tried again.
    /// </summary>
    public const string IsAsking = "IsAsking";
}
