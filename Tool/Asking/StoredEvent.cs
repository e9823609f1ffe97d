using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Where an event is in <c>Smtp2GoEvents</c>.</summary>
internal readonly record struct StoredEventKey(string PartitionKey, string RowKey);

/// <summary>What is shown of one event. The texts are as stored and may hold control characters.</summary>
/// <param name="SendTime">SMTP2GO's <c>sendtime</c>: with microseconds, and so the order within a second.</param>
/// <param name="EmailId">The <c>email_id</c>, <c>sms-</c> and the id of an SMS, or empty.</param>
/// <param name="Recipients">The one recipient or all of them. A row in the recipient index names its own and counts the others.</param>
/// <param name="AreRecipientsCut">The list was too long for its column, and only the body has all of them.</param>
/// <param name="Bounce"><c>hard</c> or <c>soft</c>.</param>
/// <param name="Class">Why it bounced or was rejected: <see cref="BounceClass"/>.</param>
/// <param name="Reply">What the other side said, in its own words.</param>
/// <param name="Says">The most telling text of this kind of event.</param>
/// <param name="IsLikelyMachine">A machine opened it or followed the link, rather than a person.</param>
/// <param name="IsFilledIn">Its webhook never came: it is from SMTP2GO's activity, which says less.</param>
/// <param name="Key">The key of the event's own row, whichever of its rows was read.</param>
internal sealed record StoredEvent(
    DateTimeOffset? Time,
    DateTimeOffset? SendTime,
    string Name,
    bool IsTest,
    string EmailId,
    IReadOnlyList<string> Recipients,
    int OtherRecipients,
    bool AreRecipientsCut,
    string? Subject,
    string? Sender,
    string? MessageId,
    string? Bounce,
    string? Class,
    string? Reply,
    string? Says,
    bool IsLikelyMachine,
    bool IsFilledIn,
    StoredEventKey Key)
{
    /// <summary>The columns that <see cref="Of"/> reads; a large body stays in storage.</summary>
    public static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "event", "time", "received_timestamp", "sendtime", "rcpt", "recipients", "destination_number", "email_id",
        "message_id", "bounce", "url", "message", "status_code", "subject", "Subject", "email_subject", "sender", "from", "from_address",
        "sender_email", "source_number", "client", "client_os", "geoip_country",
        ColumnNames.EventPartitionKey, ColumnNames.EventRowKey, ColumnNames.Recipient, ColumnNames.RecipientCount, ColumnNames.IsTest,
        ColumnNames.BounceClass, ColumnNames.LikelyMachine, FilledIn.Source,
    ];

    public bool IsHardBounce => Name == "bounce" && string.Equals(Bounce, "hard", StringComparison.OrdinalIgnoreCase);

    /// <summary>Rejected because SMTP2GO does not send to this recipient.</summary>
    public bool IsSuppressed => Name == "reject" && RejectFault.Of(Class, Reply) == RejectFault.Recipient;

    /// <summary>Rejected because of who sends, or of their account: another recipient would have been rejected too.</summary>
    public bool IsSendersFault => Name is "reject" or "sms_rejected" && RejectFault.Of(Class, Reply) == RejectFault.Sender;

    public bool IsSms => Name.StartsWith("sms_", StringComparison.Ordinal);

    public static StoredEvent Of(TableEntity row)
    {
        var name = TextIn(row, "event") ?? string.Empty;
        var reply = TextIn(row, "message") ?? TextIn(row, "status_code");
        var recipients = RecipientsIn(row, out var areCut);

        // An email may be known by no more than its Message-ID, which has the same column as the id of an SMS. The key tells.
        var key = TextIn(row, ColumnNames.EventPartitionKey) ?? row.PartitionKey;
        var sms = key.StartsWith("sms-", StringComparison.Ordinal) ? key : null;
        var id = TextIn(row, "message_id");
        return new StoredEvent(
            TimeIn(row, "time") ?? TimeIn(row, "received_timestamp"),
            TimeIn(row, "sendtime"),
            name,
            row.TryGetValue(ColumnNames.IsTest, out var test) && test is true,
            TextIn(row, "email_id") ?? sms ?? string.Empty,
            recipients,
            row.TryGetValue(ColumnNames.RecipientCount, out var count) && count is int and > 1 ? (int)count - 1 : 0,
            areCut,
            TextIn(row, "subject") ?? TextIn(row, "Subject") ?? TextIn(row, "email_subject"),
            TextIn(row, "sender") ?? TextIn(row, "from_address") ?? TextIn(row, "from") ?? TextIn(row, "sender_email")
                ?? TextIn(row, "source_number"),
            sms is null ? id : null,
            TextIn(row, "bounce"),
            TextIn(row, ColumnNames.BounceClass) ?? BounceClassifier.Of(name, TextIn(row, "message")),
            reply,
            name switch
            {
                "click" => TextIn(row, "url") ?? reply,
                "open" => string.Join(", ", Present(TextIn(row, "client"), TextIn(row, "client_os"), TextIn(row, "geoip_country"))),
                "bounce" => string.Join(": ", Present(TextIn(row, "bounce"), reply)),

                // SMTP2GO repeats the address in the message of these.
                "unsubscribe" or "resubscribe" when recipients is [var only] && reply == only => null,
                _ => reply,
            },
            row.TryGetValue(ColumnNames.LikelyMachine, out var machine) && machine is true,
            TextIn(row, FilledIn.Source) == FilledIn.Activity,
            new StoredEventKey(key, TextIn(row, ColumnNames.EventRowKey) ?? row.RowKey));
    }

    // As the index splits them.
    private static IReadOnlyList<string> RecipientsIn(TableEntity row, out bool areCut)
    {
        areCut = false;
        if (TextIn(row, ColumnNames.Recipient) is { } one)
        {
            return [one];
        }

        if (TextIn(row, "rcpt") is { } rcpt)
        {
            return [.. RecipientAddresses.Of(EventColumns.ToField("rcpt", rcpt))];
        }

        if (TextIn(row, "recipients") is { } all)
        {
            // The last one of a list that was cut may be half an address.
            areCut = all.Length >= TableLimits.MaxTextLength - 1;
            var whole = areCut && all.LastIndexOf(',') is var end and >= 0 ? all[..end] : all;
            return [.. RecipientAddresses.Of(EventColumns.ToField("recipients", whole))];
        }

        return TextIn(row, "destination_number") is { } number ? [number] : [];
    }

    private static IEnumerable<string> Present(params IEnumerable<string?> texts) => texts.OfType<string>();

    // A column may have a different type than usual if its value did not parse.
    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text and not "Unavailable" ? text : null;

    private static DateTimeOffset? TimeIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is DateTimeOffset time ? time : null;
}
