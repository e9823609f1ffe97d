using System.Buffers;
using System.Text;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Classifying;

/// <summary>The domain of an email address.</summary>
public static class RecipientDomain
{
    // RFC 1035; longer than any that can exist.
    private const int MaxLength = 253;

    private static readonly SearchValues<char> NotInDomain = SearchValues.Create(" \t\r\n<>()[]\\,;:\"'/?#%&=@");

    /// <summary>The domain of the one recipient; null if the event has several, or none.</summary>
    public static string? Of(EmailEvent e) => (e.About.Count > 0 ? e.About : e.Recipients) is [var address] ? Of(address) : null;

    /// <summary>In lower case, an international one as it was sent; null if this is not an email address.</summary>
    public static string? Of(string address)
    {
        // A quoted local part may contain an @.
        var at = address.LastIndexOf('@');
        var domain = at < 1 ? string.Empty : address[(at + 1)..].Trim().TrimEnd('.');
        var isDomain = domain.Length is > 0 and <= MaxLength && domain[0] != '.' && !domain.Contains("..", StringComparison.Ordinal)
            && !domain.AsSpan().ContainsAny(NotInDomain);
        return isDomain && domain.EnumerateRunes().All(IsText) ? domain.ToLowerInvariant() : null;
    }

    // U+FFFD stands for half of a surrogate pair, which no column can hold.
    private static bool IsText(Rune rune) => rune.Value != 0xFFFD && !Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune);
}
