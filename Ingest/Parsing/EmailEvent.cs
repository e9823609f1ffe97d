using System.Diagnostics.CodeAnalysis;

namespace Smtp2GoIngest.Parsing;

/// <summary>One event of an email or SMS, from the fields of one webhook.</summary>
/// <remarks>
/// Every property depends only on the fields. The first non-empty scalar of a field counts. <c>Unavailable</c>, which SMTP2GO writes when
/// it has no value, counts as missing.
/// </remarks>
public sealed class EmailEvent
{
    private const string TestSubject = "Mail test - please ignore";

    private EmailEvent(string name, IReadOnlyList<WebhookField> fields)
    {
        var byName = fields.ToDictionary(f => f.Name, f => f.Values, StringComparer.Ordinal);

        Name = name;
        Fields = fields;
        Id = FirstOf(byName, "id");
        EmailId = FirstOf(byName, "email_id");
        MessageId = FirstOf(byName, "message_id");
        About = [.. fields.Where(field => field.Name == "rcpt").SelectMany(RecipientAddresses.Of)];
        Recipients = [.. fields.Where(field => FieldTypes.IsRecipients(field.Name)).SelectMany(RecipientAddresses.Of)];
        DestinationNumber = FirstOf(byName, "destination_number");
        Time = TimeOf(byName, "time") ?? TimeOf(byName, "received_timestamp") ?? TimeOf(byName, "submitted_timestamp");
        IsTest = (FirstOf(byName, "subject") ?? FirstOf(byName, "Subject")) == TestSubject && TimeOf(byName, "sendtime")?.Year == 2015;
    }

    /// <summary>The event, as <see cref="EventName"/> spells it.</summary>
    public string Name { get; }

    /// <summary>SMTP2GO's id of this event: 32 hex digits; missing on some rejects.</summary>
    public string? Id { get; }

    /// <summary>Case-sensitive; missing for an SMS and on some rejects.</summary>
    public string? EmailId { get; }

    /// <summary>Only for an SMS (<c>message_id</c>, not the <c>message-id</c> of an email).</summary>
    public string? MessageId { get; }

    /// <summary>The addresses that the event is about (<c>rcpt</c>): one, or none on <c>processed</c>.</summary>
    public IReadOnlyList<string> About { get; }

    /// <summary>Only for an SMS.</summary>
    public string? DestinationNumber { get; }

    /// <summary>The addresses in <c>recipients</c>, in order; empty on all events except <c>processed</c>.</summary>
    public IReadOnlyList<string> Recipients { get; }

    /// <summary>When it happened, in UTC: <c>time</c>, else <c>received_timestamp</c>, else <c>submitted_timestamp</c>.</summary>
    public DateTimeOffset? Time { get; }

    /// <summary>Sent by the "Test this webhook" button in SMTP2GO: a fixed subject, and a sendtime in 2015.</summary>
    public bool IsTest { get; }

    /// <summary>Every field as sent.</summary>
    public IReadOnlyList<WebhookField> Fields { get; }

    /// <summary>Reads the event from the body of a webhook.</summary>
    /// <param name="body">The bytes as received. Bytes that are not UTF-8 are read as U+FFFD.</param>
    /// <param name="problem">Why there is no event; <see cref="BodyProblem.NoEvent"/> if the body itself is fine.</param>
    public static bool TryParse(ReadOnlySpan<byte> body, [NotNullWhen(true)] out EmailEvent? emailEvent, out BodyProblem problem)
    {
        emailEvent = null;
        if (!WebhookBody.TryParse(body, out var fields, out problem))
        {
            return false;
        }

        problem = TryCreate(fields, out emailEvent) ? BodyProblem.None : BodyProblem.NoEvent;
        return emailEvent is not null;
    }

    /// <summary>Creates an event from fields; false if they have no <c>event</c> with a value.</summary>
    public static bool TryCreate(IReadOnlyList<WebhookField> fields, [NotNullWhen(true)] out EmailEvent? emailEvent)
    {
        var name = fields.FirstOrDefault(f => f.Name == "event") is { } field ? FirstOf(field.Values) : null;
        emailEvent = name is null ? null : new EmailEvent(EventName.Normalize(name), fields);
        return emailEvent is not null;
    }

    /// <summary>The value of any other field; null if it is missing.</summary>
    public string? ValueOf(string field)
    {
        foreach (var candidate in Fields)
        {
            if (candidate.Name == field)
            {
                return FirstOf(candidate.Values);
            }
        }

        return null;
    }

    /// <summary>Whether two events have the same fields, in any order, format and spelling of times, lists and numbers.</summary>
    /// <remarks>An empty field counts as missing. <c>sendtime</c> differs each time SMTP2GO sends the same event.</remarks>
    public bool SaysTheSameAs(EmailEvent other) => Comparable(this).SequenceEqual(Comparable(other));

    private static IEnumerable<(string, string)> Comparable(EmailEvent e) =>
        EventMeaning.Of(e.Fields)
            .Where(field => field.Name != "sendtime")
            .SelectMany(field => field.Values
                .Where(value => value.Text.Length > 0)
                .Select(value => (field.Name, field.Name == "event" ? EventName.Normalize(value.Text) : value.Text)));

    private static string? FirstOf(Dictionary<string, IReadOnlyList<FieldValue>> fields, string name) =>
        fields.TryGetValue(name, out var values) ? FirstOf(values) : null;

    private static string? FirstOf(IReadOnlyList<FieldValue> values)
    {
        foreach (var (text, isScalar) in values)
        {
            if (isScalar && text.Length > 0 && !FieldTypes.IsMissing(text))
            {
                return text;
            }
        }

        return null;
    }

    private static DateTimeOffset? TimeOf(Dictionary<string, IReadOnlyList<FieldValue>> fields, string name) =>
        EventTime.TryParse(FirstOf(fields, name), out var time) ? time : null;
}
