using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>A webhook as SMTP2GO sends it.</summary>
/// <param name="Fields">A value that is a list is sent as a repeated field or as an array.</param>
internal sealed record SampleWebhook(IReadOnlyList<KeyValuePair<string, object>> Fields)
{
    private const string Sender = "shop@example.com";
    private static readonly string[] Recipients = ["ada@example.org", "bob@example.net", "cleo@example.org"];

    /// <summary>The nine events of one email, and one of an SMS.</summary>
    /// <param name="emailId">At least 12 characters; the last ones become the SMS's id.</param>
    /// <param name="start">When the email was processed.</param>
    /// <param name="recipient">The recipient of all of them; three samples by default.</param>
    /// <param name="id">The id of each event; one of its own by default.</param>
    public static IReadOnlyList<SampleWebhook> OneOfEach(
        string emailId, DateTimeOffset start, string? recipient = null, string? id = null)
    {
        var recipients = recipient is null ? Recipients : [recipient];
        var (ada, bob, cleo) = (recipients[0], recipient ?? Recipients[1], recipient ?? Recipients[2]);
        const string Browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        return
        [
            Email("processed", 0, ("recipients", recipients), ("srchost", "192.0.2.19")),
            Email(
                "delivered", 2, ("rcpt", ada), ("host", "mx.example.org [203.0.113.22]"), ("message", "250 2.0.0 OK"),
                ("context", "Unavailable")),
            Email(
                "bounce", 3, ("rcpt", bob), ("bounce", "hard"), ("host", "mx.example.net [203.0.113.7]"),
                ("message", "550 5.1.1 User unknown"), ("context", $"RCPT TO:<{bob}>")),
            Email(
                "reject", 3, ("rcpt", cleo), ("message", "Recipient is on the suppression list"), ("context", "submission"),
                ("srchost", "192.0.2.19")),
            Email(
                "open", 65, ("rcpt", ada), ("opened-at", Time(65)), ("user-agent", Browser), ("read-secs", "12"),
                ("client", "Firefox 140.0"), ("client-os", "Linux"), ("client-device", "Other"), ("geoip-country", "NZ"),
                ("context", "Unavailable"), ("message", "Unavailable")),
            Email(
                "click", 78, ("rcpt", ada), ("clicked-at", Time(78)), ("url", "https://shop.example.com/orders/1042?from=mail"),
                ("user-agent", Browser), ("client", "Firefox 140.0"), ("client-os", "Linux")),
            Email("unsubscribe", 90, ("rcpt", ada), ("message", ada), ("context", "feedback")),
            Email("resubscribe", 150, ("rcpt", ada), ("message", ada), ("context", "feedback")),
            Email("spam", 300, ("rcpt", ada), ("message", string.Empty), ("context", "feedback")),
            new SampleWebhook(
            [
                new("event", "sms_delivered"), new("id", IdOr(id)), new("message_id", emailId[^12..].ToLowerInvariant()),
                new("destination_number", recipient ?? "+6421555012"), new("source_number", "+6421555000"),
                new("message_content", "Your order has left."), new("status_code", "delivered"), new("region", "NZ"),
                new("retry_count", "0"), new("submitted_timestamp", Time(4)), new("received_timestamp", Time(5)),
                new("sender_email", Sender),
            ]),
        ];

        string Time(int second) => start.AddSeconds(second).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

        SampleWebhook Email(string name, int second, params (string Name, object Value)[] own) => new(
        [
            new("Message-Id", $"<E{emailId}@message-id.example.com>"), new("Subject", "Your order 1042"), new("auth", "api-0123456789AB"),
            new("email_id", emailId), new("event", name), new("from", Sender), new("from_address", Sender), new("from_name", string.Empty),
            new("id", IdOr(id)), new("message-id", $"<E{emailId}@message-id.example.com>"), new("sender", Sender),
            new("sendtime", $"{Time(second)[..^1]}.052765+00:00"), new("subject", "Your order 1042"), new("time", Time(second)),
            .. own.Select(field => KeyValuePair.Create(field.Name, field.Value)),
        ]);
    }

    /// <summary>The body in SMTP2GO's output format <c>form</c>.</summary>
    public string ToForm() => string.Join('&', Fields.SelectMany(field => Values(field.Value).Select(value =>
        $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(value).Replace("%20", "+", StringComparison.Ordinal)}")));

    /// <summary>The body in SMTP2GO's output format <c>json</c>.</summary>
    public string ToJson() => new JsonObject(Fields.Select(field => KeyValuePair.Create<string, JsonNode?>(
        field.Key,
        field.Value is string text ? text : new JsonArray([.. Values(field.Value).Select(value => JsonValue.Create(value))]))))
        .ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static IReadOnlyList<string> Values(object value) => value as IReadOnlyList<string> ?? [(string)value];

    private static string IdOr(string? id) => id ?? Guid.NewGuid().ToString("n");
}
