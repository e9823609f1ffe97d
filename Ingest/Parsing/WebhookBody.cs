using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Smtp2GoIngest.Parsing;

/// <summary>Why there is no event in a body.</summary>
public enum BodyProblem
{
    /// <summary>There is no problem.</summary>
    None,

    /// <summary>No bytes, or only white space.</summary>
    Empty,

    /// <summary>It begins like JSON but is malformed.</summary>
    MalformedJson,

    /// <summary>JSON, but an array or a text: SMTP2GO sends one object.</summary>
    NotAnObject,

    /// <summary>A form without a single <c>name=value</c>.</summary>
    NoPairs,

    /// <summary>Well-formed, but with more than <see cref="WebhookBody.MaxValues"/> values.</summary>
    TooManyValues,

    /// <summary>Well-formed, but no field <c>event</c> has a value. Checking a body does not look for it; reading its event does.</summary>
    NoEvent,
}

/// <summary>Reads the two formats that SMTP2GO sends, a form and a JSON object. The first character tells them apart.</summary>
public static class WebhookBody
{
    /// <summary>The most values that one body may have, not counting recipients; SMTP2GO sends about thirty.</summary>
    public const int MaxValues = 10_000;

    /// <summary>Checks the syntax of a body without building anything from it.</summary>
    /// <param name="body">The bytes as received, in any encoding.</param>
    public static BodyProblem Check(ReadOnlySpan<byte> body)
    {
        body = Trim(body);
        return body switch
        {
            [] => BodyProblem.Empty,

            // JSON, but not an object. A form encoder never leaves these characters bare.
            [(byte)'[' or (byte)'"', ..] => BodyProblem.NotAnObject,
            [(byte)'{', ..] => JsonReader.IsWellFormed(body) ? BodyProblem.None : BodyProblem.MalformedJson,
            _ => FormReader.HasPair(body) ? BodyProblem.None : BodyProblem.NoPairs,
        };
    }

    /// <summary>Reads the fields of a body, in the order in which their names first appear.</summary>
    /// <param name="body">The bytes as received. Bytes that are not UTF-8 are read as U+FFFD.</param>
    /// <param name="fields">At least one, unless the body is <c>{}</c>.</param>
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

        var read = new FieldList(MaxValues);
        if (!(body[0] == '{' ? JsonReader.TryRead(body, read) : FormReader.TryRead(Encoding.UTF8.GetString(body), read)))
        {
            problem = BodyProblem.TooManyValues;
            return false;
        }

        fields = read.Fields;
        return true;
    }

    /// <summary>Writes fields as a JSON body that reads back as the same fields in the same order.</summary>
    /// <param name="fields">Their names must be unique.</param>
    public static string ToJson(IEnumerable<WebhookField> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, values, isList) in fields)
            {
                json.WritePropertyName(name);
                var isArray = isList || values.Count != 1;
                if (isArray)
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

                if (isArray)
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
}
