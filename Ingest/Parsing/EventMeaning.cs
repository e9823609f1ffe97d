using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Parsing;

/// <summary>
/// What a field means, whatever the format: times as instants, numbers as numbers, lists as lists. The account may change the output
/// format between two tries of the same webhook.
/// </summary>
internal static partial class EventMeaning
{
    // A longer one could be rounded, so that two numbers read as the same.
    private const int MaxDigits = 20;

    /// <summary>The fields in one spelling, in ordinal order of their names.</summary>
    public static IEnumerable<WebhookField> Of(IEnumerable<WebhookField> fields) => fields
        .GroupBy(field => field.Name.EndsWith("[]", StringComparison.Ordinal) ? field.Name[..^2] : field.Name, StringComparer.Ordinal)
        .OrderBy(same => same.Key, StringComparer.Ordinal)
        .Select(same => new WebhookField(same.Key, [.. same.SelectMany(ValuesOf).Select(text => new FieldValue(text))]));

    // A value that is not text, such as an object in a list of addresses, means something too, though no key is built from it.
    private static IEnumerable<string> ValuesOf(WebhookField field) =>
        FieldTypes.HoldsAddresses(field.Name)
            ? RecipientAddresses.Of(field).Concat(field.Values.Where(value => !value.IsScalar).Select(value => Compact(value.Text)))
        : FieldTypes.IsTime(field.Name) ? field.Values.Select(value => TimeOf(value.Text))
        : FieldTypes.IsNumber(field.Name) ? field.Values.Select(value => NumberOf(value.Text))
        : field is { IsList: false, Values: [{ IsScalar: true } one] } ? ListOf(one.Text)
        : field.Values.Select(value => value.IsScalar ? value.Text : Compact(value.Text));

    private static string TimeOf(string text) => EventTime.TryParse(text, out var time) ? EventTime.ToText(time) : text;

    private static string NumberOf(string text) =>
        text.Length <= MaxDigits && JsonNumber().IsMatch(text)
        && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number.ToString("0.############################", CultureInfo.InvariantCulture)
            : text;

    // A form may carry a list or an object as its JSON text.
    private static string[] ListOf(string text)
    {
        if (text is not ['[', .., ']'])
        {
            return [Compact(text)];
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateArray().Select(TextOf)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON after all, or half of a surrogate pair: kept as it is.
            return [text];
        }
    }

    private static string TextOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString()!,
        JsonValueKind.Null => string.Empty,
        JsonValueKind.Object or JsonValueKind.Array => Compact(element.GetRawText()),
        _ => element.GetRawText(),
    };

    // An object or array without its white space.
    private static string Compact(string text)
    {
        if (text is not (['[', .., ']'] or ['{', .., '}']))
        {
            return text;
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            var buffer = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                json.WriteTo(writer);
            }

            return Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return text;
        }
    }

    // Not 007 and not +1: those are texts. No exponent that would round to zero.
    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex JsonNumber();
}
