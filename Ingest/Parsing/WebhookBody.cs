using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Smtp2GoIngest.Parsing;

/// <summary>Why a body holds nothing that could be an event.</summary>
public enum BodyProblem
{
    /// <summary>The body is sound.</summary>
    None,

    /// <summary>No byte, or blanks alone.</summary>
    Empty,

    /// <summary>It begins as JSON and is not.</summary>
    MalformedJson,

    /// <summary>JSON, but an array or a text: SMTP2GO sends one object.</summary>
    NotAnObject,

    /// <summary>A form without a single <c>name=value</c>.</summary>
    NoPairs,

    /// <summary>Sound, but with more than <see cref="WebhookBody.MaxValues"/> values.</summary>
    TooManyValues,

    /// <summary>Sound, but no field <c>event</c> has a value. A check of the body only never says so.</summary>
    NoEvent,
}

/// <summary>One value of a field.</summary>
/// <param name="Text">The text: of a JSON number, boolean, object or array its JSON text; of null the empty text.</param>
/// <param name="IsScalar">False for a JSON object or array, which no key is ever made of.</param>
public readonly record struct FieldValue(string Text, bool IsScalar = true);

/// <summary>One field of a body: its name as sent, case and all, and its values in their order.</summary>
/// <param name="Name">SMTP2GO sends <c>Subject</c> and <c>subject</c> in one body: names are case-sensitive.</param>
/// <param name="Values">Several where a form repeats the name or JSON holds an array; none for an empty array.</param>
public sealed record WebhookField(string Name, IReadOnlyList<FieldValue> Values);

/// <summary>Reads the two formats that SMTP2GO sends, a form and a JSON object, told apart by their first character.</summary>
public static class WebhookBody
{
    /// <summary>The most values that one body may hold, over all its fields; SMTP2GO sends about thirty.</summary>
    public const int MaxValues = 10_000;

    // Nesting costs the reader one bit a level, so the body's own limit is limit enough.
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = int.MaxValue };

    // What a form encoder never leaves bare and a JSON document that is no object begins with.
    private static readonly SearchValues<byte> OtherJson = SearchValues.Create("[\""u8);

    /// <summary>Tells whether a body is syntactically sound, without building anything from it.</summary>
    /// <param name="body">The bytes as received, of any encoding.</param>
    public static BodyProblem Check(ReadOnlySpan<byte> body)
    {
        body = Trim(body);
        return body.IsEmpty ? BodyProblem.Empty
            : OtherJson.Contains(body[0]) ? BodyProblem.NotAnObject
            : body[0] == '{' ? CheckJson(body)
            : CheckForm(body);
    }

    /// <summary>Reads the fields of a body, in the order in which their names first appear.</summary>
    /// <param name="body">The bytes as received. Bytes that are no UTF-8 are read as U+FFFD.</param>
    /// <param name="fields">The fields; at least one.</param>
    /// <param name="problem">Why there are none.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> body, [NotNullWhen(true)] out IReadOnlyList<WebhookField>? fields, out BodyProblem problem)
    {
        fields = null;
        problem = Check(body);
        if (problem != BodyProblem.None)
        {
            return false;
        }

        body = Trim(body);
        if (!Utf8.IsValid(body))
        {
            body = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body));
        }

        var read = new FieldList();
        if (!(body[0] == '{' ? TryReadJson(body, read) : TryReadForm(Encoding.UTF8.GetString(body), read)))
        {
            problem = BodyProblem.TooManyValues;
            return false;
        }

        fields = read.Fields;
        return true;
    }

    /// <summary>Writes fields as a JSON body that reads back as the same fields, their order included.</summary>
    /// <param name="fields">The fields, no name twice.</param>
    public static string ToJson(IEnumerable<WebhookField> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, values) in fields)
            {
                json.WritePropertyName(name);
                if (values.Count != 1)
                {
                    json.WriteStartArray();
                }

                foreach (var (text, isScalar) in values)
                {
                    if (isScalar)
                    {
                        json.WriteStringValue(text);
                    }
                    else
                    {
                        json.WriteRawValue(text, skipInputValidation: true);
                    }
                }

                if (values.Count != 1)
                {
                    json.WriteEndArray();
                }
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> body)
    {
        var bom = Encoding.UTF8.Preamble;
        return (body.StartsWith(bom) ? body[bom.Length..] : body).Trim(" \t\r\n"u8);
    }

    private static BodyProblem CheckJson(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, ReaderOptions);
            while (reader.Read())
            {
                // To the end: what follows the object has to be sound as well.
            }

            return BodyProblem.None;
        }
        catch (JsonException)
        {
            return BodyProblem.MalformedJson;
        }
    }

    private static BodyProblem CheckForm(ReadOnlySpan<byte> body)
    {
        foreach (var pair in body.Split((byte)'&'))
        {
            if (body[pair].IndexOf((byte)'=') > 0)
            {
                return BodyProblem.None;
            }
        }

        return BodyProblem.NoPairs;
    }

    private static bool TryReadForm(string body, FieldList fields)
    {
        foreach (var range in body.AsSpan().Split('&'))
        {
            var pair = body.AsSpan(range);
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? [] : pair[(equals + 1)..];
            if (!fields.TryAdd(fields[Decode(name)], new FieldValue(Decode(value))))
            {
                return false;
            }
        }

        return true;

        // Leaves broken percent-encoding as it is and reads bytes that are no UTF-8 as U+FFFD.
        static string Decode(ReadOnlySpan<char> text) =>
            text.ContainsAny('%', '+') ? WebUtility.UrlDecode(text.ToString()) : text.ToString();
    }

    private static bool TryReadJson(ReadOnlySpan<byte> body, FieldList fields)
    {
        var reader = new Utf8JsonReader(body, ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var values = fields[TextOf(ref reader)];
            reader.Read();
            var isArray = reader.TokenType == JsonTokenType.StartArray;
            if (isArray)
            {
                reader.Read();
            }

            while (reader.TokenType != JsonTokenType.EndArray)
            {
                if (!fields.TryAdd(values, ReadValue(body, ref reader)))
                {
                    return false;
                }

                if (!isArray)
                {
                    break;
                }

                reader.Read();
            }
        }

        return true;
    }

    private static FieldValue ReadValue(ReadOnlySpan<byte> body, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                return new FieldValue(Encoding.UTF8.GetString(body[start..(int)reader.BytesConsumed]), IsScalar: false);
            case JsonTokenType.String:
                return new FieldValue(TextOf(ref reader));
            case JsonTokenType.Null:
                return new FieldValue(string.Empty);
            default:
                return new FieldValue(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    private static string TextOf(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }

        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    // The reader refuses a text with an unpaired surrogate; here it becomes U+FFFD.
    private static string Unescape(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                result.Append(text[i]);
                continue;
            }

            i++;
            if (text[i] == 'u')
            {
                result.Append((char)ushort.Parse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }

            result.Append(text[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var c => c });
        }

        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(result.ToString()));
    }

    private sealed class FieldList
    {
        private readonly List<WebhookField> fields = [];
        private readonly Dictionary<string, List<FieldValue>> byName = new(StringComparer.Ordinal);
        private int count;

        public IReadOnlyList<WebhookField> Fields => fields;

        public List<FieldValue> this[string name]
        {
            get
            {
                if (!byName.TryGetValue(name, out var values))
                {
                    byName[name] = values = [];
                    fields.Add(new WebhookField(name, values));
                }

                return values;
            }
        }

        public bool TryAdd(List<FieldValue> values, FieldValue value)
        {
            values.Add(value);
            return ++count <= MaxValues;
        }
    }
}
