using System.Text.Json;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What each endpoint writes into <c>data</c>.</summary>
internal sealed class ApiEndpoints(Smtp2GoAccount account, ApiBehaviour behaviour, TimeProvider time)
{
    public const string Activity = "/activity/search";

    private const string Webhooks = "/webhook/view";
    private const string KeysView = "/api_keys/view";

    private static readonly string[] All = [Activity, Webhooks, KeysView, ApiKey.PermissionsPath];

    private readonly ActivitySearch search = new(account, behaviour, time);
    private int lastPages;

    public static bool Exists(string path) => All.Contains(path);

    public void Answer(string path, ApiKey key, JsonElement body, Utf8JsonWriter json)
    {
        switch (path)
        {
            case Activity:
                var request = SearchRequest.Parse(body, account.Now);
                var page = search.Find(request);
                var emptyToken = page.Token is null && Interlocked.Increment(ref lastPages) % 2 == 0;
                new ActivityJson(account, behaviour.DateSkew, json).Write(page, emptyToken, request.CustomHeaders);
                break;
            case Webhooks:
                WriteWebhooks(json);
                break;
            case KeysView:
                WriteKeys(json);
                break;
            default:
                WriteTexts(json, All.Where(key.May));
                break;
        }
    }

    private void WriteWebhooks(Utf8JsonWriter json)
    {
        // One object has no room for a second webhook.
        var webhooks = account.Webhooks;
        if (behaviour.WebhookViewAsObject && webhooks.Count == 1)
        {
            WriteWebhook(json, webhooks[0]);
            return;
        }

        json.WriteStartArray();
        foreach (var webhook in webhooks)
        {
            WriteWebhook(json, webhook);
        }

        json.WriteEndArray();
    }

    private static void WriteWebhook(Utf8JsonWriter json, Smtp2GoWebhook webhook)
    {
        json.WriteStartObject();
        json.WriteNumber("id", webhook.Id);
        json.WriteString("url", webhook.Url.OriginalString);
        json.WritePropertyName("events");
        WriteTexts(json, webhook.Events);
        json.WritePropertyName("sms_events");
        WriteTexts(json, []);
        json.WritePropertyName("headers");
        WriteTexts(json, webhook.Headers);
        json.WritePropertyName("usernames");
        WriteTexts(json, webhook.Usernames);
        json.WriteString("output_format", webhook.OutputFormat);
        json.WriteString("auth_header_type", webhook.AuthHeaderType);
        json.WriteString("auth_header_value", webhook.AuthHeaderValue);
        json.WriteEndObject();
    }

    private void WriteKeys(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var key in account.Keys)
        {
            json.WriteStartObject();
            json.WriteString("api_key", key.Masked);
            json.WritePropertyName("endpoints");
            WriteTexts(json, key.Permissions);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, IEnumerable<string> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
