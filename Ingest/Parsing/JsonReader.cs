using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads a body that is a JSON object.</summary>
internal static class JsonReader
{
    // Nesting costs the reader one bit per level, so the limit on the body is enough.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = int.MaxValue };

    public static bool IsWellFormed(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body, Options);
            while (reader.Read())
            {
                // To the end: what follows the object must be well-formed too.
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads every field of a well-formed object; false if there are too many values.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, FieldList fields)
    {
        var reader = new Utf8JsonReader(body, Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = fields[TextOf(ref reader)];
            reader.Read();
            var isArray = reader.TokenType == JsonTokenType.StartArray;
            if (isArray)
            {
                field.IsArray = true;
                reader.Read();
            }

            while (reader.TokenType != JsonTokenType.EndArray)
            {
                if (!fields.TryAdd(field, ReadValue(body, ref reader)))
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

    /// <summary>The text of a JSON string, with its quotes. An unpaired surrogate becomes U+FFFD.</summary>
    public static string TextOf(ReadOnlySpan<byte> quoted)
    {
        var reader = new Utf8JsonReader(quoted, Options);
        reader.Read();
        return TextOf(ref reader);
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

    // The reader rejects a text with an unpaired surrogate. Here the surrogate becomes U+FFFD.
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
}
