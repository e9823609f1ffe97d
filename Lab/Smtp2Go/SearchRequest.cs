using System.Globalization;
using System.Text.Json;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What a call of /activity/search asks for.</summary>
internal sealed record SearchRequest
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK"];

    // Fields that exist, but not here: a test must not believe that they were obeyed.
    private static readonly string[] Unknown = ["only_latest", "only_latest_by_sent", "include_headers", "subaccounts", "region"];

    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset Until { get; init; }

    public int Limit { get; init; }

    public string? Token { get; init; }

    /// <summary>Everything but the token, as it was sent: it may not change between two pages.</summary>
    public required string Fingerprint { get; init; }

    public IReadOnlyList<string> CustomHeaders { get; init; } = [];

    private string[] Search { get; init; } = [];

    private string? EmailId { get; init; }

    private string? Recipient { get; init; }

    private string? Sender { get; init; }

    private string? Subject { get; init; }

    private List<string> Usernames { get; init; } = [];

    private HashSet<Smtp2GoEventKind> Kinds { get; init; } = [];

    public static SearchRequest Parse(JsonElement body, DateTimeOffset now)
    {
        foreach (var field in body.EnumerateObject().Where(it => Unknown.Contains(it.Name) && !IsNothing(it.Value)))
        {
            throw ApiError.Invalid(field.Name, "This server does not simulate the field.");
        }

        return new SearchRequest
        {
            From = Time(body, "start_date") ?? new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero),
            Until = Time(body, "end_date") ?? now,
            Limit = LimitOf(body),
            Token = Text(body, "continue_token") is { Length: > 0 } token ? token : null,
            Fingerprint = string.Join('\n', body.EnumerateObject()
                .Where(it => it.Name is not ("continue_token" or "api_key"))
                .Select(it => $"{it.Name}={it.Value.GetRawText()}")
                .Order(StringComparer.Ordinal)),
            CustomHeaders = Texts(body, "custom_headers"),
            Search = Text(body, "search")?.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            EmailId = Text(body, "search_email_id"),
            Recipient = Text(body, "search_recipient"),
            Sender = Text(body, "search_sender"),
            Subject = Text(body, "search_subject"),
            Usernames = Texts(body, "search_usernames"),
            Kinds = [.. Texts(body, "event_types").Select(name =>
                EventNames.Find(name) ?? throw ApiError.Invalid("event_types", "One of the event types is not valid."))],
        };
    }

    public bool Matches(Smtp2GoEvent it, string? recipient) =>
        (Kinds.Count == 0 || Kinds.Contains(it.Kind))
        && (EmailId is null || it.Email.EmailId == EmailId)
        && (Recipient is null || (recipient is null ? it.Email.Recipients.Any(one => Has(one, Recipient)) : Has(recipient, Recipient)))
        && (Sender is null || Has(it.Email.Sender, Sender))
        && (Subject is null || Has(it.Email.Subject, Subject))
        && (Usernames.Count == 0 || Usernames.Contains(it.Email.Username))
        && (Search.Length == 0 || Search.Any(either =>
            Has(it.Email.EmailId, either) || Has(it.Email.Subject, either) || it.Email.Recipients.Any(one => Has(one, either))));

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);

    private static bool IsNothing(JsonElement value) => value.ValueKind is JsonValueKind.Null or JsonValueKind.False
        || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0)
        || (value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0);

    private static int LimitOf(JsonElement body)
    {
        if (!body.TryGetProperty("limit", out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return DefaultLimit;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var limit) && limit is >= 1 and <= MaxLimit
            ? limit
            : throw ApiError.Invalid("limit", "The limit must be a whole number from 1 to 1000.");
    }

    private static DateTimeOffset? Time(JsonElement body, string field)
    {
        if (Text(body, field) is not { Length: > 0 } text)
        {
            return null;
        }

        return DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw ApiError.Invalid(field, "The date is not valid.");
    }

    private static string? Text(JsonElement body, string field)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw ApiError.Invalid(field, "The field must be a text.");
    }

    private static List<string> Texts(JsonElement body, string field)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(one => one.GetString()!)]
            : throw ApiError.Invalid(field, "The field must be an array of texts.");
    }
}
