using System.Globalization;
using System.Net.Mime;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// The calls of SMTP2GO's HTTP API that reconciling needs. Pace, retries and time-outs are those of its named HTTP client. A call never
/// changes anything at SMTP2GO.
/// </summary>
/// <remarks>Its exceptions are <see cref="Smtp2GoException"/>. They never quote the key, an answer or a request.</remarks>
public sealed partial class Smtp2GoClient(IHttpClientFactory clients)
{
    internal const string HttpClientName = "smtp2go";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>Reads a page of activity. It must be read with all fields of the search unchanged.</summary>
    /// <param name="continueToken">From the page before; null for the first.</param>
    public async Task<ActivityPage> SearchActivityAsync(
        ActivitySearch search, string? continueToken, CancellationToken cancellationToken)
    {
        var request = new JsonObject
        {
            ["start_date"] = TextOf(search.From),
            ["end_date"] = TextOf(search.Until),
            ["limit"] = search.Limit,
        };
        if (search.EventType is { } eventType)
        {
            request["event_types"] = new JsonArray(eventType);
        }

        if (continueToken is not null)
        {
            request["continue_token"] = continueToken;
        }

        using var answer = await PostAsync("activity/search", request, cancellationToken);
        var data = DataOf(answer);
        if (data.ValueKind != JsonValueKind.Object
            || !data.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Array
            || !data.TryGetProperty("total_events", out var total) || total.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)
            || NumberOf(total) is not { } count)
        {
            throw Unreadable(200);
        }

        return new ActivityPage([.. events.EnumerateArray().Select(ActivityEvent.Read)], count, TextOf(data, "continue_token"));
    }

    /// <summary>How many events there are of a kind, with one call.</summary>
    public async Task<long> CountActivityAsync(
        DateTimeOffset from, DateTimeOffset until, EventKind kind, CancellationToken cancellationToken) =>
        (await SearchActivityAsync(new ActivitySearch(from, until, kind.ActivityName, Limit: 1), null, cancellationToken)).Total;

    /// <summary>The account's webhooks.</summary>
    public async Task<IReadOnlyList<Smtp2GoWebhook>> ViewWebhooksAsync(CancellationToken cancellationToken)
    {
        using var answer = await PostAsync("webhook/view", [], cancellationToken);
        var data = DataOf(answer);

        // An array was seen, one object is documented.
        JsonElement[] all = data.ValueKind == JsonValueKind.Array ? [.. data.EnumerateArray()] : [data];
        return Array.TrueForAll(all, one => one.ValueKind == JsonValueKind.Object)
            ? [.. all.Where(one => one.EnumerateObject().Any()).Select(WebhookOf)]
            : throw Unreadable(200);
    }

    /// <summary>The paths that the key may call, such as <c>/activity/search</c>. Every key may ask.</summary>
    public async Task<IReadOnlyList<string>> PermissionsAsync(CancellationToken cancellationToken)
    {
        using var answer = await PostAsync("api_keys/permissions", [], cancellationToken);
        var data = DataOf(answer);
        return data.ValueKind == JsonValueKind.Array ? TextsOf(data) : throw Unreadable(200);
    }

    private static Smtp2GoWebhook WebhookOf(JsonElement json) => new(
        TextOf(json, "url"),
        TextsOf(json, "events"),
        TextsOf(json, "headers"),
        TextsOf(json, "usernames"),
        TextOf(json, "output_format"),
        TextOf(json, "auth_header_type"));

    private static string TextOf(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && TextOf(value) is { Length: > 0 } text
            ? text
            : null;

    // GetString would throw at half of a surrogate pair.
    private static string TextOf(JsonElement text) => JsonReader.TextOf(JsonMarshal.GetRawUtf8Value(text));

    private static string[] TextsOf(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? TextsOf(value) : [];

    private static string[] TextsOf(JsonElement array) =>
        [.. array.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(TextOf)];

    // No account has as many as this; with more, sums would overflow.
    private static long? NumberOf(JsonElement json)
    {
        long number;
        var isNumber = json.ValueKind == JsonValueKind.String
            ? long.TryParse(json.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            : json.TryGetInt64(out number);
        return isNumber && number is >= 0 and < 1_000_000_000_000 ? number : null;
    }

    private static JsonElement DataOf(JsonDocument answer) =>
        answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("data", out var data)
            ? data
            : throw Unreadable(200);

    private static Smtp2GoException Unreadable(int status) => new(
        "SMTP2GO gave an answer that cannot be read. Check Smtp2Go__ApiUrl, and that no proxy answers in SMTP2GO's place.", status);

    private async Task<JsonDocument> PostAsync(string path, JsonObject request, CancellationToken cancellationToken)
    {
        using var content = new StringContent(request.ToJsonString(), Encoding.UTF8, MediaTypeNames.Application.Json);
        HttpResponseMessage answer;
        try
        {
            // Not before the first call: the app is made without it, so a cold start does not pay for it.
            using var http = clients.CreateClient(HttpClientName);
            answer = await http.PostAsync(path, content, cancellationToken);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Unreadable(200);
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException)
        {
            // The exception's own text is not passed on: it may name a proxy with its password.
            throw new Smtp2GoException("SMTP2GO cannot be reached. Check the network and Smtp2Go__ApiUrl.", 0);
        }

        using (answer)
        {
            JsonDocument? json = null;
            try
            {
                json = await JsonDocument.ParseAsync(
                    await answer.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            }
            catch (JsonException)
            {
                // Judged by the status.
            }

            if (answer.IsSuccessStatusCode && json is not null && CodeIn(json.RootElement) is null)
            {
                return json;
            }

            using (json)
            {
                throw Refused(path, (int)answer.StatusCode, json?.RootElement);
            }
        }
    }

    private static Smtp2GoException Refused(string path, int status, JsonElement? answer)
    {
        var code = CodeIn(answer);
        var message = (status, code) switch
        {
            (_, "ENDPOINT_PERMISSION_DENIED") =>
                $"The API key may not call /{path}. Give it that permission in SMTP2GO, or use another key in Smtp2Go__ApiKey.",
            (401, _) => "SMTP2GO does not accept the API key. Check Smtp2Go__ApiKey.",
            (403, _) => "SMTP2GO refused the call (403). If the account restricts who may call the API, add this machine's address.",
            (429, _) => "SMTP2GO still refuses more calls (429) after a long wait. Is something else calling it? Try again later.",
            _ when status is >= 300 and < 400 =>
                "SMTP2GO answered with a redirect, which is not followed: that would pass on the key. Check Smtp2Go__ApiUrl.",
            _ when status >= 500 => $"SMTP2GO kept failing ({status}). Try again later.",
            _ when status is >= 200 and < 300 => Unreadable(status).Message,
            _ => $"SMTP2GO refused the call to /{path}: {(code is null ? null : $"{code}, ")}status {status}.",
        };
        return new Smtp2GoException(message, status, code);
    }

    // Two shapes are documented. Whatever else stands there is not repeated: it may quote the request.
    private static string? CodeIn(JsonElement? answer)
    {
        if (answer is not { ValueKind: JsonValueKind.Object } root)
        {
            return null;
        }

        var code = (root.TryGetProperty("data", out var data) ? TextOf(data, "error_code") : null) ?? TextOf(root, "error_code");
        return code is not null && Code().Match(code) is { Success: true } match ? match.Groups["name"].Value : null;
    }

    [GeneratedRegex(
        @"^(E_ApiResponseCodes\.)?(?<name>[A-Z][A-Z_]{2,60})$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Code();
}
