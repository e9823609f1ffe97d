using System.Text.RegularExpressions;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Where an address ends in a text, and how people write one. The constants are fragments of regular expressions.</summary>
internal static partial class AddressSyntax
{
    /// <summary>
    /// One character that an address may contain: atext of RFC 5322, the dot, and what RFC 6531 adds, which is nearly everything
    /// outside ASCII. Brackets, full stops and bullets of other scripts are left out, as are blanks and controls: they separate
    /// words.
    /// </summary>
    public const string Part =
        @"(?:[\w\p{M}\p{N}\p{P}\p{S}\p{Cs}\p{Co}\p{Cn}\u200C\u200D"
        + @"-[<>""(),:;@\[\]\\\p{Ps}\p{Pe}\u2022\u2026\u3001\u3002\uFF01\uFF0C\uFF1A\uFF1B\uFF1F\uFF61\uFF64\u060C\u061B\u061F]]|[{}])";

    /// <summary>One character that a domain label may contain, apart from the hyphen.</summary>
    public const string Label = @"[\w\p{M}\p{N}\p{S}\p{Cs}\p{Co}\p{Cn}\u00B7\u200C\u200D-[$+<=>^`|~]]";

    /// <summary>Nothing before this place belongs to the address. An HTML entity is looked at when it is decoded.</summary>
    public const string Start = $@"(?<!{Part})(?<!&\#?\w{{1,31}};)";

    /// <summary>Nothing after this place belongs to the address. What is encoded is looked at when it is decoded.</summary>
    public const string End =
        $@"(?!{Label}|[.\-{Dots}]+{Label}|{Escape}|[^""\r\n]{{0,64}}""@)";

    // What a domain in another script may use as a dot.
    private const string Dots = @"\u3002\uFF0E\uFF61";

    private const string Escape = @"%[0-9A-Fa-f]{2}|=[0-9A-Fa-f]{2}|=\r?\n|&\#?[0-9A-Za-z]{1,31};|\\u[0-9A-Fa-f]{4}";

    private const int MinDigits = 7;

    // E.164 allows no more.
    private const int MaxDigits = 15;

    /// <summary>Whether a text is one email address and nothing else.</summary>
    public static bool IsAddress(string text) => Address().IsMatch(text);

    /// <summary>The digits of a telephone number, country code first, however it is written; null if the text is not one.</summary>
    public static string? DigitsOf(string text)
    {
        if (!Number().IsMatch(text))
        {
            return null;
        }

        var digits = string.Concat(text.Replace("(0)", string.Empty, StringComparison.Ordinal).Where(char.IsAsciiDigit));
        digits = digits.StartsWith("00", StringComparison.Ordinal) ? digits[2..] : digits;
        return digits.Length is >= MinDigits and <= MaxDigits ? digits : null;
    }

    /// <summary>Only the address or number in what somebody pasted, such as <c>Ada &lt;ada@example.org&gt;</c>.</summary>
    public static string Unwrap(string pasted)
    {
        var text = RecipientAddresses.Unwrap(pasted);
        if (Scheme().Match(text) is { Success: true } scheme)
        {
            text = RecipientAddresses.Unwrap(Uri.UnescapeDataString(text[scheme.Length..].Split('?')[0]));
        }

        return text is ['"', .., '"'] or ['\'', .., '\''] ? text[1..^1].Trim() : text;
    }

    [GeneratedRegex(
        $@"^(?:""(?:[^""\\]|\\.)+""|{Part}+)@(?:(?:{Label}|[.\-{Dots}])+|\[[^\[\]\s]+\])$",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Address();

    [GeneratedRegex(
        @"^\s*\+?\(?[0-9][0-9 \u00A0\u2007\u2009\u202F().\-/\u2010-\u2015]*$", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Number();

    [GeneratedRegex(
        "^(?:mailto|tel|sms|smsto):(?://)?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Scheme();
}
