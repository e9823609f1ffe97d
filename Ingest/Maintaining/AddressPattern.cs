using System.Globalization;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Finds one address in any text, in any case, percent-encoded, JSON-escaped or both, but not inside a longer address.</summary>
internal sealed partial class AddressPattern(string address)
{
    /// <summary>What stands where the address stood.</summary>
    public const string Mark = "[forgotten]";

    // Percent-encoding inside percent-encoding inside JSON is as deep as a link in an email goes.
    private const int MaxDecodings = 4;

    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(10);

    private readonly Regex pattern = new(
        $@"(?<![A-Za-z0-9._%+\-]){Regex.Escape(address)}(?![A-Za-z0-9\-]|\.[A-Za-z0-9])",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        MatchTimeout);

    /// <summary>Tells whether a text is the address and nothing else.</summary>
    public bool Is(string text) => string.Equals(text.Trim(' ', '<', '>'), address, StringComparison.OrdinalIgnoreCase);

    /// <summary>Tells whether a text holds the address.</summary>
    public bool IsIn(string text)
    {
        for (var i = 0; i < MaxDecodings; i++)
        {
            if (pattern.IsMatch(text))
            {
                return true;
            }

            var decoded = JsonEscape().Replace(Uri.UnescapeDataString(text), Decode);
            if (decoded == text)
            {
                return false;
            }

            text = decoded;
        }

        return pattern.IsMatch(text);
    }

    /// <summary>The text without the address.</summary>
    public string TakeFrom(string text)
    {
        // What shows the address only when it is decoded cannot be mended in part.
        var without = pattern.Replace(text, Mark);
        return IsIn(without) ? Mark : without;
    }

    private static string Decode(Match escape) =>
        escape.Groups["code"] is { Success: true } code
            ? ((char)ushort.Parse(code.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString()
        : escape.Groups["self"] is { Success: true } self ? self.Value
        : " ";

    [GeneratedRegex(
        @"\\(u(?<code>[0-9a-fA-F]{4})|(?<self>[""\\/])|[bfnrt])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex JsonEscape();
}
