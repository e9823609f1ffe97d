using System.Buffers;
using System.Globalization;

namespace Smtp2GoIngest.Tool.Commands;

internal static class PlainText
{
    /// <summary>What can steer a terminal or change the writing direction.</summary>
    public static readonly SearchValues<char> Steering = SearchValues.Create(
    [
        .. Range('\u0000', '\u001f'), .. Range('\u007f', '\u009f'), '\u061c', '\u200e', '\u200f', .. Range('\u2028', '\u202e'),
        .. Range('\u2066', '\u2069'),
    ]);

    /// <summary>
    /// Blanks out control characters, line separators and what changes the writing direction, so that no text can steer a terminal or
    /// pass for another text, whoever wrote it.
    /// </summary>
    public static string Of(string? text)
    {
        if (text is null || !text.AsSpan().ContainsAny(Steering))
        {
            return text ?? string.Empty;
        }

        return string.Create(text.Length, text, static (plain, text) =>
        {
            text.CopyTo(plain);
            plain.ReplaceAny(Steering, ' ');
        });
    }

    /// <summary><c>2,000</c>.</summary>
    public static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 event</c>, <c>2,000 events</c>.</summary>
    public static string Count(long count, string noun) =>
        FormattableString.Invariant($"{count:N0} {noun}{(count == 1 ? string.Empty : "s")}");

    private static IEnumerable<char> Range(char first, char last) => Enumerable.Range(first, last - first + 1).Select(c => (char)c);
}
