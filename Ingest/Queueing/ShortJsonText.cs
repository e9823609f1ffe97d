using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Queueing;

/// <summary>Writes a text as JSON that is plain ASCII and that XML does not escape again, in as few bytes as that takes.</summary>
/// <remarks>
/// The default escapes turn each quote into six bytes, and a body that is JSON has some seventy: docs/performance.md.
/// </remarks>
internal sealed class ShortJsonText : JsonConverter<string>
{
    private const int MaxEscape = 6;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Except("\"\\&<>")]);

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((value.Length * MaxEscape) + 2);
        writer.WriteRawValue(buffer.AsSpan(0, Quote(value, buffer)), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static int Quote(ReadOnlySpan<char> text, Span<byte> json)
    {
        var end = 0;
        json[end++] = (byte)'"';
        while (true)
        {
            var plain = text.IndexOfAnyExcept(Plain) is var other and >= 0 ? other : text.Length;
            end += Encoding.ASCII.GetBytes(text[..plain], json[end..]);
            if (plain == text.Length)
            {
                json[end++] = (byte)'"';
                return end;
            }

            end += Escape(text[plain], json[end..]);
            text = text[(plain + 1)..];
        }
    }

    private static int Escape(char character, Span<byte> json)
    {
        json[0] = (byte)'\\';
        if (character is '"' or '\\')
        {
            json[1] = (byte)character;
            return 2;
        }

        json[1] = (byte)'u';
        for (var i = 2; i < MaxEscape; i++)
        {
            json[i] = "0123456789ABCDEF"u8[(character >> (4 * (MaxEscape - 1 - i))) & 0xF];
        }

        return MaxEscape;
    }
}
