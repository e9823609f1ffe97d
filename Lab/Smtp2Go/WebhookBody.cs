using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>The body of a webhook: the fields that events of its kind have.</summary>
internal sealed class WebhookBody
{
    private const string Recipients = "recipients";

    // Sorted, as those that were published are.
    private readonly SortedDictionary<string, IReadOnlyList<string>> fields = new(StringComparer.Ordinal);

    private WebhookBody(Smtp2GoEvent it, string sendTime)
    {
        var email = it.Email;
        Set("event", EventNames.OfWebhook(it.Kind));
        Set("time", Second(it.Date));
        Set("sendtime", sendTime);
        Set("email_id", email.EmailId);
        Set("message-id", email.MessageId);
        Set("Message-Id", email.MessageId);
        Set("subject", email.Subject);
        Set("Subject", email.Subject);
        Set("auth", email.Username);
        Set("sender", email.Sender);
        Set("from", email.From);
        Set("from_address", email.Sender);
        Set("from_name", email.SenderName);
        if (email.HasId)
        {
            Set("id", it.Id);
        }

        AddKind(it);
    }

    public static WebhookBody Of(Smtp2GoEvent it, IReadOnlyList<string> headers) =>
        new WebhookBody(it, (it.Date + it.Fraction).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture))
            .With(headers, name => it.Email.Headers.GetValueOrDefault(name));

    /// <summary>What the Test button sends, whose times do not fit together.</summary>
    public static WebhookBody OfTest(Smtp2GoEvent it, IReadOnlyList<string> headers) =>
        new WebhookBody(it, TestButton.SendTime).With(headers, _ => "Headers Unavailable");

    public HttpContent ToContent(string outputFormat) => outputFormat == "json"
        ? new StringContent(ToJson().ToJsonString(), Encoding.UTF8, MediaTypeNames.Application.Json)
        : new FormUrlEncodedContent(fields.SelectMany(it => it.Value.Select(value => KeyValuePair.Create(it.Key, value))));

    private WebhookBody With(IReadOnlyList<string> headers, Func<string, string?> valueOf)
    {
        foreach (var name in headers)
        {
            if (valueOf(name) is { } value)
            {
                fields.TryAdd(name, [value]);
            }
        }

        return this;
    }

    private JsonObject ToJson() => new(fields.Select(it => KeyValuePair.Create<string, JsonNode?>(
        it.Key, it.Key == Recipients ? new JsonArray([.. it.Value.Select(value => JsonValue.Create(value))]) : it.Value[0])));

    private void AddKind(Smtp2GoEvent it)
    {
        if (it.Recipient is null)
        {
            fields[Recipients] = it.Email.Recipients;
        }
        else
        {
            Set("rcpt", it.Recipient);
        }

        switch (it.Kind)
        {
            case Smtp2GoEventKind.Processed:
                Set("srchost", it.Email.OriginatingHost);
                break;
            case Smtp2GoEventKind.Delivered:
                AddServer(it, Smtp2GoEmail.Unavailable);
                break;
            case Smtp2GoEventKind.HardBounced:
                Set("bounce", "hard");
                AddServer(it, $"RCPT TO:<{it.Recipient}>");
                break;
            case Smtp2GoEventKind.SoftBounced:
                Set("bounce", "soft");
                AddServer(it, "DATA: 452 4.2.2");
                break;
            case Smtp2GoEventKind.Rejected:
                AddReason(it, "submission");
                Set("srchost", it.Email.OriginatingHost);
                break;
            case Smtp2GoEventKind.Opened:
                AddClient(it, "opened-at");
                Set("read-secs", "30");
                Set("context", Smtp2GoEmail.Unavailable);
                Set("message", Smtp2GoEmail.Unavailable);
                break;
            case Smtp2GoEventKind.Clicked:
                AddClient(it, "clicked-at");
                Set("url", it.Link ?? string.Empty);
                break;
            default:
                AddReason(it, "feedback");
                break;
        }
    }

    private void AddServer(Smtp2GoEvent it, string context)
    {
        Set("host", $"{it.HostName} [{it.Host}]");
        AddReason(it, context);
    }

    private void AddReason(Smtp2GoEvent it, string context)
    {
        Set("message", it.SmtpResponse ?? string.Empty);
        Set("context", context);
    }

    private void AddClient(Smtp2GoEvent it, string timeField)
    {
        Set(timeField, Second(it.Date));
        if (it.Client is not { } client)
        {
            return;
        }

        Set("user-agent", client.UserAgent);
        Set("client", client.Name);
        Set("client-device", client.Device);
        Set("client-os", client.System);
        Set("geoip-continent", client.Continent);
        Set("geoip-country", client.Country);
        Set("geoip-city", client.City);
        Set("srchost", client.Host);
    }

    private void Set(string name, string value) => fields[name] = [value];

    private static string Second(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
