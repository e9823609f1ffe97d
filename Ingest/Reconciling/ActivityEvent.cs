using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>One event of <c>/activity/search</c>. SMTP2GO leaves out what it does not know, so every field may be missing.</summary>
/// <param name="EmailId">As in the webhook.</param>
/// <param name="Event">In the words of <c>/activity/search</c>.</param>
/// <param name="Date">Whole seconds.</param>
/// <param name="Username">The webhook's <c>auth</c>.</param>
/// <param name="Host">Only an IP address; the webhook has a name as well.</param>
/// <param name="Reason">Why, for a reject.</param>
/// <param name="Fingerprint">Of all its fields: two events that are alike have the same.</param>
public sealed record ActivityEvent(
    string? EmailId,
    string? Event,
    DateTimeOffset? Date,
    string? Recipient,
    IReadOnlyList<string> Recipients,
    string? Subject,
    string? Username,
    string? Sender,
    string? From,
    string? SmtpResponse,
    string? Host,
    string? OriginatingHost,
    string? Reason,
    ulong Fingerprint)
{
    /// <summary>Null if it has a new name.</summary>
    internal EventKind? Kind => EventKind.OfActivity(Event);

    /// <summary>Reads an event, whatever the types of its fields are.</summary>
    internal static ActivityEvent Read(JsonElement json) => Read(json, TextsOf(json, "recipients"));

    private static ActivityEvent Read(JsonElement json, string[] recipients) => new(
        TextOf(json, "email_id"),
        TextOf(json, "event"),
        EventTime.TryParse(TextOf(json, "date"), out var date) ? date : null,
        TextOf(json, "recipient") ?? (recipients is [var only] ? only : null),
        recipients,
        TextOf(json, "subject"),
        TextOf(json, "username"),
        TextOf(json, "sender"),
        TextOf(json, "from"),
        TextOf(json, "smtp_response"),
        TextOf(json, "host"),
        TextOf(json, "originating_host"),
        TextOf(json, "reason") ?? TextOf(json, "error"),
        XxHash3.HashToUInt64(JsonMarshal.GetRawUtf8Value(json)));

    private static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && TextOf(value) is { Length: > 0 } text
        && !FieldTypes.IsMissing(text)
            ? text
            : null;

    private static string[] TextsOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value.ValueKind == JsonValueKind.Array
                ? [.. value.EnumerateArray().Select(TextOf).OfType<string>()]
                : TextOf(value) is { Length: > 0 } one ? [one] : []
            : [];

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        // GetString would throw at half of a surrogate pair.
        JsonValueKind.String => JsonReader.TextOf(JsonMarshal.GetRawUtf8Value(value)),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };
}
