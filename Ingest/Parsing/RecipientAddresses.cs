using System.Text.Json;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads the addresses in <c>rcpt</c> and <c>recipients</c>, however they are joined, quoted or named.</summary>
public static partial class RecipientAddresses
{
    /// <summary>The addresses in a field, without blanks, display names and angle brackets. An element of a list is never split.</summary>
    public static IEnumerable<string> Of(WebhookField field) => field.Values
        .Where(value => value.IsScalar)
        .SelectMany(value => field.IsList ? [value.Text] : Split(value.Text))
        .Select(Unwrap)
        .Where(address => address.Length > 0 && !FieldTypes.IsMissing(address));

    /// <summary>Only the address: <c>ada@example.org</c> for <c>"Lovelace, Ada" &lt;ada@example.org&gt;</c>.</summary>
    public static string Unwrap(string text)
    {
        var address = text.AsSpan().Trim();
        return address is [.., '>'] && address.LastIndexOf('<') is var start and >= 0
            ? address[(start + 1)..^1].Trim().ToString()
            : address.ToString();
    }

    /// <summary>The parts of a joined text, as they are, or the texts in a list that JSON or Python wrote.</summary>
    internal static IEnumerable<string> Split(string list)
    {
        if (list.AsSpan().TrimStart() is ['[', ..] && TextsOf(list.Trim()) is { } texts)
        {
            return texts;
        }

        return list.AsSpan().IndexOfAny('"', '<') < 0 ? list.Split([',', ';']) : SplitOutsideQuotes(list);
    }

    // A comma or semicolon inside quotes or angle brackets belongs to the address.
    private static IEnumerable<string> SplitOutsideQuotes(string list)
    {
        var (start, lastQuote, lastBracket) = (0, list.LastIndexOf('"'), list.LastIndexOf('>'));
        for (var i = 0; i < list.Length; i++)
        {
            // One that is never closed encloses nothing. Without knowing the last one, each would be searched for to the end.
            if (list[i] == '"' && i < lastQuote)
            {
                do
                {
                    i = list.IndexOf('"', i + 1);
                }
                while (IsEscaped(list, i) && i < lastQuote);
            }
            else if (list[i] == '<' && i < lastBracket)
            {
                i = list.IndexOf('>', i + 1);
            }
            else if (list[i] is ',' or ';')
            {
                yield return list[start..i];
                start = i + 1;
            }
        }

        yield return list[start..];
    }

    private static bool IsEscaped(string text, int at) => (at - 1 - text.AsSpan(0, at).LastIndexOfAnyExcept('\\')) % 2 == 1;

    // A list as JSON writes it, or as Python prints it; null if it is neither.
    private static IEnumerable<string>? TextsOf(string list)
    {
        try
        {
            return (JsonSerializer.Deserialize(list, JsonTextArray.Default.StringArray) ?? []).OfType<string>();
        }
        catch (JsonException)
        {
            return PythonList().Match(list) is { Success: true } match ? match.Groups["text"].Captures.Select(text => text.Value) : null;
        }
    }

    [GeneratedRegex(
        """^\[('(?<text>[^']*)'|"(?<text>[^"]*)")(\s*,\s*('(?<text>[^']*)'|"(?<text>[^"]*)"))*\]$""",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex PythonList();
}
