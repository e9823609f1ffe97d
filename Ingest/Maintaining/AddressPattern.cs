using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Finds one email address or telephone number in any text, but not inside a longer one.</summary>
internal sealed partial class AddressPattern
{
    /// <summary>What replaces the address.</summary>
    public const string Mark = "[forgotten]";

    private const RegexOptions Options = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    // A mebibyte takes well under a second; the largest possible body has sixteen.
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMinutes(1);

    private readonly Regex pattern;
    private readonly Regex? bounceAddress;
    private readonly Func<string, bool> isOne;

    private AddressPattern(string alone, string? bounce, Func<string, bool> isOne)
    {
        // A character that could belong to an address does not if it is on both sides, as in 'ada@example.org'.
        pattern = new Regex(
            $@"{AddressSyntax.Start}{alone}{AddressSyntax.End}"
            + $@"|(?<=(?<!{AddressSyntax.Part})\{{?(?<quote>[!#$%&'*+\-/=?^_`|~]{{1,3}})){alone}(?=\k<quote>(?!{AddressSyntax.Label}))"
            + $@"|(?<=(?<!{AddressSyntax.Part})\{{{{1,2}}){alone}(?=\}})"
            + $@"|(?<=(?<!{AddressSyntax.Part})[“„«‘‚‹]){alone}(?=[”“»’‘›])"
            + (bounce is null ? string.Empty : $"|{bounce}"),
            Options,
            MatchTimeout);
        bounceAddress = bounce is null ? null : new Regex(bounce, Options, MatchTimeout);
        this.isOne = isOne;
        IsNumber = bounce is null;
    }

    /// <summary>A telephone number. In any other text, its digits may be a date or an IP address.</summary>
    public bool IsNumber { get; }

    /// <summary>Reads an address or number as people paste it; null if the text is neither.</summary>
    public static AddressPattern? Parse(string pasted)
    {
        var text = AddressSyntax.Unwrap(pasted);
        return AddressSyntax.IsAddress(text) ? OfEmail(text.TrimEnd('.'))
            : AddressSyntax.DigitsOf(text) is { } digits ? OfNumber(digits)
            : null;
    }

    /// <summary>Whether a text is the address, with or without a display name, and nothing else.</summary>
    public bool Is(string text) => isOne(RecipientAddresses.Unwrap(text));

    /// <summary>Whether a text contains the address.</summary>
    public bool IsIn(string text) => EncodedText.Readings(text).Any(pattern.IsMatch);

    /// <summary>The text without the address. A piece that shows it only when decoded is removed whole, up to the next separator.</summary>
    public string TakeFrom(string text)
    {
        var without = Replace(text, pattern.Matches(EncodedText.MarkLinks(text)));
        if (!IsIn(without))
        {
            return without;
        }

        // Each with the character before it, which tells whether it stands by itself.
        var parts = EncodedText.MarkLinks(without);
        var pieces = Piece().Matches(parts).Where(piece => IsIn(parts[Math.Max(0, piece.Index - 1)..(piece.Index + piece.Length)]));
        without = Replace(without, pieces);
        return IsIn(without) ? Mark : without;
    }

    /// <summary>
    /// Somebody else's address without this one, which may be part of it, as in <c>bounces+ada=example.org@mail.example</c>.
    /// </summary>
    public string TakeFromAddress(string other) => bounceAddress?.Replace(other, Mark) ?? other;

    private static AddressPattern OfEmail(string address)
    {
        var at = address.LastIndexOf('@');
        var (local, domains) = (address[..at], SpellingsOf(address[(at + 1)..]));
        var spellings = domains.Select(domain => $"{local}@{domain}".ToLowerInvariant()).ToHashSet(StringComparer.Ordinal);

        // VERP: after one tag such as "bounces+" or SendGrid's "bounces+1234-ab12-". After two tags, the second is part of another address.
        const string Tag = @"(?<![\w.\-+\a])[\w.\-]{1,64}[+\a]";
        var bounce = $@"(?:{AddressSyntax.Start}|(?<={Tag})|(?<={Tag}[0-9]{{3,12}}-[0-9a-f]{{3,12}}-))"
            + $"{AnyOf(domains.Select(domain => $"{local}={domain}"))}(?=@{AddressSyntax.Label})";
        return new AddressPattern(AnyOf(spellings), bounce, text => spellings.Contains(text.TrimEnd('.').ToLowerInvariant()));
    }

    private static AddressPattern OfNumber(string digits)
    {
        // A number may have punctuation between its digits if a plus or 00 makes clear that it is a telephone number.
        const string Between = @"(?:\(0\)|[ \u00A0\u2007\u2009\u202F().\-/\u2010-\u2015]){0,3}";
        var alone = $@"(?:(?:\+|00){Between}{string.Join(Between, digits.AsEnumerable())}|{digits})(?!@)";
        return new AddressPattern(alone, null, text => AddressSyntax.DigitsOf(text) == digits);
    }

    // In its own script, and as the DNS has it.
    private static string[] SpellingsOf(string domain)
    {
        try
        {
            var idn = new IdnMapping();
            var ascii = idn.GetAscii(domain);
            return [.. new[] { domain, ascii, idn.GetUnicode(ascii) }.Distinct(StringComparer.OrdinalIgnoreCase)];
        }
        catch (ArgumentException)
        {
            return [domain];
        }
    }

    // Also as it looks in a link, where an unencoded address is taken apart.
    private static string AnyOf(IEnumerable<string> texts)
    {
        var all = texts.SelectMany(text => new[] { text, EncodedText.MarkAll(text) }).Distinct(StringComparer.Ordinal);
        return $"(?:{string.Join('|', all.Select(Regex.Escape))})";
    }

    private static string Replace(string text, IEnumerable<Match> found)
    {
        var (without, end) = (new StringBuilder(), 0);
        foreach (var match in found)
        {
            without.Append(text, end, match.Index - end).Append(Mark);
            end = match.Index + match.Length;
        }

        return end == 0 ? text : without.Append(text, end, text.Length - end).ToString();
    }

    [GeneratedRegex(@"(?:[^\s<>""()\[\],\\\u0000-\u001F]|\\(?!""))+", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Piece();
}
