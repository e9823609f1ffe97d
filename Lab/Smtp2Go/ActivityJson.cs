using System.Globalization;
using System.Text.Json;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Writes events as /activity/search does: a field that has nothing to say is left out.</summary>
internal sealed class ActivityJson(Smtp2GoAccount account, TimeSpan dateSkew, Utf8JsonWriter json)
{
    public void Write(ActivityPage page, bool emptyToken, IReadOnlyList<string> customHeaders)
    {
        json.WriteStartObject();
        json.WriteNumber("total_events", page.Total);
        json.WriteStartArray("events");
        foreach (var row in page.Rows)
        {
            Write(row, customHeaders);
        }

        json.WriteEndArray();
        json.WriteString("continue_token", page.Token ?? (emptyToken ? string.Empty : null));
        json.WriteEndObject();
    }

    private void Write(ActivityRow row, IReadOnlyList<string> customHeaders)
    {
        var (it, email) = (row.Event, row.Event.Email);
        json.WriteStartObject();
        json.WriteString("email_id", email.EmailId);
        json.WriteString("event", EventNames.OfActivity(it.Kind));
        json.WriteString("date", Time(it.Date + dateSkew));
        Text("recipient", row.Recipient ?? email.Recipients[0]);
        Texts("recipients", email.Recipients);
        Text("sender", email.Sender);
        Text("from", email.From);
        Text("to", string.Join(", ", email.Recipients));
        Text("subject", email.Subject);
        Text("username", email.Username);
        Text("subaccount_name", "Master account");
        Text("host", it.Host);
        if (it.Kind == Smtp2GoEventKind.Rejected)
        {
            Text("reason", it.SmtpResponse);
        }
        else
        {
            Text("smtp_response", it.SmtpResponse);
        }

        if (it.Kind is Smtp2GoEventKind.Processed or Smtp2GoEventKind.Rejected)
        {
            Text("originating_host", email.OriginatingHost);
            json.WriteNumber("byte_size", email.ByteSize);
        }

        if (it.Kind == Smtp2GoEventKind.Processed)
        {
            WriteAttempts(email);
        }

        WriteClient(it);
        WriteHeaders(email, customHeaders);
        json.WriteEndObject();
    }

    private void WriteAttempts(Smtp2GoEmail email)
    {
        var attempts = account.OfEmail(email.EmailId).Where(it => it.Host is not null && it.Date <= account.Now).ToList();
        if (attempts.Count == 0)
        {
            return;
        }

        json.WriteStartArray("delivery_attempts");
        foreach (var it in attempts)
        {
            json.WriteStartObject();
            Text("smtptime", Time(it.Date));
            Text("host", it.Host);
            Text("smtpresponse", it.SmtpResponse);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // Nobody has published the shape of these two.
    private void WriteClient(Smtp2GoEvent it)
    {
        if (it.Client is not { } client)
        {
            return;
        }

        json.WriteStartObject("email_client");
        Text("name", client.Name);
        Text("os", client.System);
        Text("device", client.Device);
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        Text("user_agent", client.UserAgent);
        Text("ip", client.Host);
        Text("url", it.Link);
        json.WriteEndObject();
    }

    private void WriteHeaders(Smtp2GoEmail email, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return;
        }

        json.WriteStartObject("custom_headers");
        foreach (var name in names)
        {
            Text(name, name == "Message-Id" ? email.MessageId : email.Headers.GetValueOrDefault(name));
        }

        json.WriteEndObject();
    }

    private void Text(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }

    private void Texts(string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
