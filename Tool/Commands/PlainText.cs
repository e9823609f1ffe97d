using System.Globalization;
using System.Text;

namespace Smtp2GoIngest.Tool.Commands;

internal static class PlainText
{
    /// <summary>
    /// Blanks out control characters, line separators and what turns the direction of writing, so that no text can steer a terminal or
    /// read as another, whoever wrote it.
    /// </summary>
    public static string Of(string? text)
    {
        if (text is null || !text.Any(Steers))
        {
            return text ?? string.Empty;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(Steers(c) ? ' ' : c);
        }

        return plain.ToString();
    }

    /// <summary>Whether a character can steer a terminal or turn the direction of writing.</summary>
    public static bool Steers(char c) =>
        char.IsControl(c) || c is '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    /// <summary><c>2,000</c>.</summary>
    public static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary><c>1 event</c>, <c>2,000 events</c>.</summary>
    public static string Count(long count, string noun) =>
        FormattableString.Invariant($"{count:N0} {noun}{(count == 1 ? string.Empty : "s")}");
}
