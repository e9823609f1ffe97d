using System.Net;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads a body that is a form.</summary>
internal static class FormReader
{
    public static bool HasPair(ReadOnlySpan<byte> body)
    {
        foreach (var pair in body.Split((byte)'&'))
        {
            if (body[pair].IndexOf((byte)'=') > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads every field; false if there are too many values.</summary>
    public static bool TryRead(string body, FieldList fields)
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

        // Leaves broken percent-encoding as it is and reads bytes that are not UTF-8 as U+FFFD.
        static string Decode(ReadOnlySpan<char> text) =>
            text.ContainsAny('%', '+') ? WebUtility.UrlDecode(text.ToString()) : text.ToString();
    }
}
