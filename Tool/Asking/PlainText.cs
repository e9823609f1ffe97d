using System.Buffers;
using System.Globalization;

namespace Smtp2GoIngest.Tool.Asking;

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

    /// <summary>The beginning of a text, with an ellipsis if that is not all. No character is cut in half.</summary>
    public static string Cut(string text, int length) =>
        text.Length <= length ? text : $"{text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)}…";

    /// <summary><c>2,000</c>.</summary>
    public static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 event</c>, <c>2,000 events</c>.</summary>
    public static string Count(long count, string noun) =>
        FormattableString.Invariant($"{count:N0} {noun}{(count == 1 ? string.Empty : "s")}");

    /// <summary><c>1.50 %</c>; a dash for a rate with nothing to divide by.</summary>
    public static string Percent(double? rate) => rate is { } r ? r.ToString("0.00 %", CultureInfo.InvariantCulture) : "–";

    private static IEnumerable<char> Range(char first, char last) => Enumerable.Range(first, last - first + 1).Select(c => (char)c);
}
