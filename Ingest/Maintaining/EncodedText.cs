using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Maintaining;

/// <summary>
/// Decodes a text layer by layer: percent-encoding, JSON escapes, HTML entities, quoted-printable and the encoded words of RFC 2047.
/// Takes links apart at their separators.
/// </summary>
internal static partial class EncodedText
{
    // Each is replaced by its own control character, so that no text grows and an address that contains one can still be found.
    private const string Separators = "/=&?#;+";

    // A link in an email is at most percent-encoded twice, inside quoted-printable, inside JSON.
    private const int MaxLayers = 6;

    private const int MaxReadings = 40;

    // For all readings of one text: a body is 1 MiB by default, and one of 16 MiB is still read three times.
    private const int MaxCharacters = 48 * 1024 * 1024;

    private const NumberStyles Hex = NumberStyles.AllowHexSpecifier;

    private const string WordStart = @"=\?(?<charset>[^?\s]{1,40})\?(?:(?<base64>b)|q)\?";

    /// <summary>The text with its links taken apart, then what it reads when decoded once, twice and so on.</summary>
    public static IEnumerable<string> Readings(string text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { text };
        var next = new Queue<(string Text, int Layers)>([(text, 0)]);
        while (next.TryDequeue(out var read))
        {
            var parts = MarkLinks(read.Text);
            yield return parts;
            if (read.Layers == MaxLayers || !read.Text.AsSpan().ContainsAny("%\\&="))
            {
                continue;
            }

            // An equals sign means something else in a link, so quoted-printable is a separate reading.
            foreach (var decoded in new[] { Encoded().Replace(parts, Decode), QuotedPrintable().Replace(read.Text, DecodeBytes) })
            {
                if (seen.Count < MaxReadings && (seen.Count + 1L) * text.Length <= MaxCharacters && seen.Add(decoded))
                {
                    next.Enqueue((decoded, read.Layers + 1));
                }
            }
        }
    }

    /// <summary>Puts control characters in place of a link's <c>/ = &amp; ? # ;</c> and, in its query, <c>+</c>. No text grows.</summary>
    public static string MarkLinks(string text) => !LinkStart().IsMatch(text) ? text : Word().Replace(text, word =>
    {
        // A word that stands alone in brackets, quotes or a link and could be an address is one, even if it looks like a query.
        var isAddress = word.Index > 0 && text[word.Index - 1] is '<' or '"' or < ' ' && AddressSyntax.IsAddress(word.Value);
        return !isAddress && !EncodedWord().IsMatch(word.Value) && LinkStart().Match(word.Value) is { Success: true } start
            ? MarkFrom(start, word.Value)
            : word.Value;
    });

    /// <summary>Puts the same control characters into a whole text.</summary>
    public static string MarkAll(string text) => Mark(text, 0, isQuery: true);

    private static string MarkFrom(Match linkStart, string word) => Mark(word, linkStart.Index, isQuery: linkStart.Value[^1] == '=');

    private static string Mark(string text, int start, bool isQuery)
    {
        var marked = text.ToCharArray();
        for (var i = start; i < marked.Length; i++)
        {
            isQuery |= marked[i] == '?';

            // Elsewhere a plus is not a blank: it belongs to an address such as ada+news@example.org.
            if (Separators.IndexOf(marked[i], StringComparison.Ordinal) is var separator and >= 0 && (marked[i] != '+' || isQuery))
            {
                marked[i] = (char)(separator + 1);
            }
        }

        return new string(marked);
    }

    private static string Decode(Match encoded)
    {
        var groups = encoded.Groups;
        return groups["code"].Success ? ((char)ushort.Parse(groups["code"].ValueSpan, Hex, CultureInfo.InvariantCulture)).ToString()
            : groups["self"].Success ? groups["self"].Value
            : groups["blank"].Success ? " "
            : groups["entity"].Success ? DecodeEntity(groups["entity"].Value)
            : groups["word"].Success ? DecodeWord(groups["charset"].Value, groups["word"].Value, groups["base64"].Success)
            : Uri.UnescapeDataString(encoded.Value);
    }

    // WebUtility knows the entities of HTML 4. These from HTML 5 may appear in an address.
    private static string DecodeEntity(string name) => name switch
    {
        "commat" => "@",
        "period" => ".",
        "plus" => "+",
        "lowbar" => "_",
        _ => WebUtility.HtmlDecode($"&{name};"),
    };

    private static string DecodeWord(string charset, string word, bool isBase64)
    {
        if (!isBase64)
        {
            return QuotedPrintable().Replace(word.Replace('_', ' '), DecodeBytes);
        }

        var bytes = new byte[word.Length];
        var isUtf8 = charset.StartsWith("utf-8", StringComparison.OrdinalIgnoreCase);
        return Convert.TryFromBase64String(word.PadRight((word.Length + 3) / 4 * 4, '='), bytes, out var length)
            ? (isUtf8 ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes, 0, length)
            : " ";
    }

    private static string DecodeBytes(Match escapes) => escapes.Groups["word"].Success ? escapes.Value : Encoding.UTF8.GetString(
        [.. escapes.Groups["byte"].Captures.Select(digits => byte.Parse(digits.ValueSpan, Hex, CultureInfo.InvariantCulture))]);

    [GeneratedRegex(
        @"(?:%[0-9a-f]{2})+|\\u(?<code>[0-9a-f]{4})|\\(?<self>[""\\/])|(?<blank>\\[bfnrt])"
        + @"|&(?:(?<entity>\#[0-9]{1,7}|\#x[0-9a-f]{1,6});?|(?<entity>[a-z][a-z0-9]{1,30});)"
        + $@"|{WordStart}(?<word>[^?\s]*)\?=(?:\s+(?==\?))?",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Encoded();

    // An encoded word stays as it is. A match without a byte is a soft line break.
    [GeneratedRegex(
        $@"{WordStart}(?<word>[^?\s]*)\?=|(?:=(?<byte>[0-9a-f]{{2}}))+|=\r?\n",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex QuotedPrintable();

    [GeneratedRegex(
        WordStart,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex EncodedWord();

    // A scheme, or what forms, links and mail servers write before an address. Any other text before it may be part of the address.
    [GeneratedRegex(
        @"[a-z][a-z0-9+.\-]{1,20}://|www\."
        + $@"|(?:(?<!{AddressSyntax.Part})|(?<=[?&]))(?:event|(?:orig_|envelope-)?(?:to|from)|from_address|header\.from|rcpt"
        + @"|(?:smtp\.)?(?:rcptto|mailfrom)|sender|sender_email|recipients?|user|username|e?mail|address|cc|bcc)=",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex LinkStart();

    [GeneratedRegex(@"[^\s<>""\u0000-\u001F]+", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Word();
}
