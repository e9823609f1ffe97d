using System.Text;

namespace Smtp2GoIngest.Tool.Commands;

internal static class PlainText
{
    /// <summary>Blanks out control characters, so that no text can steer a terminal, whoever wrote it.</summary>
    public static string Of(string? text)
    {
        if (text is null || !text.Any(char.IsControl))
        {
            return text ?? string.Empty;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(char.IsControl(c) ? ' ' : c);
        }

        return plain.ToString();
    }

    /// <summary><c>1 event</c>, <c>2,000 events</c>.</summary>
    public static string Count(long count, string noun) =>
        FormattableString.Invariant($"{count:N0} {noun}{(count == 1 ? string.Empty : "s")}");
}
