using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Parsing;

/// <summary>
/// What a field says, whatever the format: times as instants, numbers as numbers, lists as lists. The account may change the output format
/// between two tries of one webhook.
/// </summary>
internal static partial class EventMeaning
{
    /// <summary>The fields in one spelling, in ordinal order of their names.</summary>
    public static IEnumerable<WebhookField> Of(IEnumerable<WebhookField> fields) => fields
        .GroupBy(field => field.Name.EndsWith("[]", StringComparison.Ordinal) ? field.Name[..^2] : field.Name, StringComparer.Ordinal)
        .OrderBy(same => same.Key, StringComparer.Ordinal)
        .Select(same => new WebhookField(same.Key, [.. same.SelectMany(ValuesOf).Select(text => new FieldValue(text))]));

    private static IEnumerable<string> ValuesOf(WebhookField field) =>
        FieldTypes.HoldsAddresses(field.Name) ? RecipientAddresses.Of(field)
        : FieldTypes.IsTime(field.Name) ? field.Values.Select(value => TimeOf(value.Text))
        : field.Values.SelectMany(value => ListOf(value.Text)).Select(NumberOf);

    private static string TimeOf(string text) => EventTime.TryParse(text, out var time)
        ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)
        : text;

    private static string NumberOf(string text) =>
        text.Length > 0 && (text[0] == '-' || char.IsAsciiDigit(text[0])) && JsonNumber().IsMatch(text)
        && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number.ToString("0.############################", CultureInfo.InvariantCulture)
            : text;

    // A form may carry a list or an object as its JSON text.
    private static string[] ListOf(string text)
    {
        if (text is not (['[', .., ']'] or ['{', .., '}']))
        {
            return [text];
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Array
                ? [.. json.RootElement.EnumerateArray().Select(TextOf)]
                : [TextOf(json.RootElement)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON after all, or half of a surrogate pair: it says what it is.
            return [text];
        }
    }

    private static string TextOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Null => string.Empty,
        JsonValueKind.Object or JsonValueKind.Array => Compact(element),
        _ => element.GetRawText(),
    };

    private static string Compact(JsonElement element)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            element.WriteTo(json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    // Not 007 and not +1: those are texts.
    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex JsonNumber();
}
