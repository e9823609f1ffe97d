using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Rows for programs: one JSON object per line, with the column names.</summary>
internal static class JsonLines
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task WriteJsonAsync(this TextWriter output, JsonObject document, CancellationToken cancellationToken) =>
        output.WriteLineAsync(ToText(document).AsMemory(), cancellationToken);

    public static Task WriteJsonAsync(this TextWriter output, TableEntity row, CancellationToken cancellationToken) =>
        output.WriteJsonAsync(ToJson(row), cancellationToken);

    private static JsonObject ToJson(TableEntity row) =>
        ToJson(row.Where(column => column.Key != "odata.etag" && column.Value is not null));

    public static JsonObject ToJson(IEnumerable<KeyValuePair<string, object>> columns) =>
        new(columns.Select(column => KeyValuePair.Create<string, JsonNode?>(column.Key, ToJson(column.Value))));

    /// <summary>On one line, and nothing in it steers a terminal: what would is written as <c>\uXXXX</c>, which means the same.</summary>
    public static string ToText(JsonObject document)
    {
        var json = document.ToJsonString(Readable);
        if (!json.AsSpan().ContainsAny(PlainText.Steering))
        {
            return json;
        }

        var safe = new StringBuilder(json.Length + 16);
        foreach (var c in json)
        {
            _ = PlainText.Steering.Contains(c) ? safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : safe.Append(c);
        }

        return safe.ToString();
    }

    /// <summary>A value as text; a time as ISO 8601 in UTC, without trailing zeros.</summary>
    public static string ToText(object value) => value switch
    {
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        DateTime time => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        byte[] bytes => Convert.ToBase64String(bytes),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

    private static JsonValue? ToJson(object value) => value switch
    {
        bool flag => JsonValue.Create(flag),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        double number => JsonValue.Create(number),
        _ => JsonValue.Create(ToText(value)),
    };
}
