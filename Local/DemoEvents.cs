using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Local;

/// <summary>The demo's webhooks: three emails and an SMS, with every kind of event among them. README and docs ask about them.</summary>
/// <param name="start">When the first email was processed. The same start makes the very same events.</param>
internal sealed class DemoEvents(DateTimeOffset start)
{
    public const string Order = "1wQ7Zk-FnQW0hPru7M-NRRC";
    public const string Newsletter = "1wQ8Fc-FnQW0hPru8K-QTTA";
    public const string Invoice = "1wQ8Kd-FnQW0hPru9T-LWWB";
    public const string Sms = "sms-b2c7e9aa";

    /// <summary>From the first event to the last.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(5);

    private const string Ada = "ada@example.org";
    private const string Bob = "bob@example.net";
    private const string Cleo = "cleo@example.org";
    private const string Dora = "dora@example.com";
    private const string Emil = "emil@example.net";
    private const string Browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    /// <summary>Sent in SMTP2GO's output format form.</summary>
    public IReadOnlyList<SampleWebhook> Forms() =>
    [
        ToAda("processed", 0, ("recipients", Ada), ("srchost", "192.0.2.19")),
        ToAda("delivered", 2, ("rcpt", Ada), ("host", "mx.example.org [203.0.113.22]"), ("message", "250 2.0.0 OK")),
        ToAda("open", 65, ("rcpt", Ada), ("opened-at", Time(65)), ("user-agent", Browser), ("read-secs", "12"), ("geoip-country", "NZ")),
        ToAda(
            "click", 78, ("rcpt", Ada), ("clicked-at", Time(78)), ("url", "https://shop.example.com/orders/1042"), ("user-agent", Browser)),
        ToEmil("processed", 30, ("recipients", Emil), ("srchost", "192.0.2.19")),
        ToEmil(
            "bounce", 34, ("rcpt", Emil), ("bounce", "soft"), ("host", "mx.example.net [203.0.113.7]"),
            ("message", "452 4.2.2 Mailbox full"), ("context", "DATA: 452 4.2.2 Mailbox full")),
    ];

    /// <summary>Sent in SMTP2GO's output format json.</summary>
    public IReadOnlyList<SampleWebhook> Documents() =>
    [
        ToAll("processed", 10, ("recipients", (string[])[Ada, Bob, Cleo, Dora]), ("srchost", "192.0.2.19")),
        ToAll("delivered", 12, ("rcpt", Ada), ("host", "mx.example.org [203.0.113.22]"), ("message", "250 2.0.0 OK")),
        ToAll("delivered", 13, ("rcpt", Dora), ("host", "mx.example.com [203.0.113.9]"), ("message", "250 OK")),
        ToAll(
            "bounce", 13, ("rcpt", Bob), ("bounce", "hard"), ("host", "mx.example.net [203.0.113.7]"),
            ("message", "550 5.1.1 User unknown"), ("context", "RCPT TO:<bob@example.net>")),
        ToAll(
            "reject", 13, ("rcpt", Cleo), ("message", "Recipient is on the suppression list"), ("context", "submission"),
            ("srchost", "192.0.2.19")),
        ToAll("unsubscribe", 90, ("rcpt", Ada), ("message", Ada), ("context", "feedback")),
        ToAll("open", 120, ("rcpt", Dora), ("opened-at", Time(120)), ("user-agent", Browser), ("read-secs", "4")),
        ToAll("resubscribe", 150, ("rcpt", Ada), ("message", Ada), ("context", "feedback")),
        ToAll("spam", 300, ("rcpt", Dora), ("message", string.Empty), ("context", "feedback")),
        new SampleWebhook(
        [
            new("event", "sms_delivered"), new("id", Id(Sms, "sms_delivered", string.Empty)), new("message_id", Sms["sms-".Length..]),
            new("destination_number", "+6421555012"), new("source_number", "+6421555000"),
            new("message_content", "Your order has left."), new("status_code", "delivered"), new("region", "NZ"),
            new("retry_count", "0"), new("submitted_timestamp", Time(4)), new("received_timestamp", Time(5)),
            new("sender_email", "shop@example.com"),
        ]),
    ];

    private SampleWebhook ToAda(string name, int second, params (string Name, object Value)[] own) =>
        Email(Order, "shop@example.com", "Your order 1042", name, second, own);

    private SampleWebhook ToEmil(string name, int second, params (string Name, object Value)[] own) =>
        Email(Invoice, "billing@example.com", "Invoice 2026-118", name, second, own);

    private SampleWebhook ToAll(string name, int second, params (string Name, object Value)[] own) =>
        Email(Newsletter, "news@example.com", "What is new this month", name, second, own);

    private SampleWebhook Email(
        string emailId, string sender, string subject, string name, int second, (string Name, object Value)[] own) => new(
    [
        new("Message-Id", $"<E{emailId}@message-id.example.com>"), new("Subject", subject), new("auth", "api-0123456789AB"),
        new("email_id", emailId), new("event", name), new("from", sender), new("from_address", sender), new("from_name", string.Empty),
        new("id", Id(emailId, name, own[0].Value as string ?? string.Empty)), new("message-id", $"<E{emailId}@message-id.example.com>"),
        new("sender", sender), new("sendtime", $"{Time(second)[..^1]}.052765+00:00"), new("subject", subject), new("time", Time(second)),
        .. own.Select(field => KeyValuePair.Create(field.Name, field.Value)),
    ]);

    private string Time(int second) =>
        start.UtcDateTime.AddSeconds(second).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // SMTP2GO's are 32 digits, one of its own for each event.
    private static string Id(params string[] of) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('/', of))))[..32];
}
