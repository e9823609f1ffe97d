using System.Text.RegularExpressions;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>A message for standard error.</summary>
internal static partial class MessageText
{
    private const int Longest = 600;
    private const int TimeoutMilliseconds = 1_000;

    /// <summary>
    /// One line of bounded length without a secret: an argument that the message quotes may be long, a whole URL or a connection string.
    /// </summary>
    public static string Of(string message)
    {
        var plain = Secret().Replace(Url().Replace(PlainText.Of(message), HostOf), "…");
        return plain.Length <= Longest ? plain : $"{plain[..(Longest / 2)]}…{plain[^(Longest / 2)..]}";
    }

    // Only the host: user name, path and query may each hold a password. An @ after the first slash may end a password or belong to a
    // path. Then nobody can say what the host is, and none is shown.
    private static string HostOf(Match url)
    {
        var rest = url.Value["://".Length..];
        var end = rest.AsSpan().IndexOfAny("/?#\\");
        var authority = end < 0 ? rest : rest[..end];
        var host = authority[(authority.LastIndexOf('@') + 1)..];
        var isClear = Host().IsMatch(host) && !rest[authority.Length..].Contains('@', StringComparison.Ordinal);
        return isClear ? $"://{host}{(host == rest ? string.Empty : "…")}" : "://…";
    }

    // In quotes it may contain blanks, and ends with the quote. A scheme by itself is no URL, and SMTP2GO's own is no secret.
    [GeneratedRegex(
        "(?<='[a-z0-9+.-]{1,20})://.*?(?='(?:[\\s.,:;)]|$)|$)|://(?!(?:api\\.smtp2go\\.com/v3)?[.,]?(?:\\s|$))\\S*",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        TimeoutMilliseconds)]
    private static partial Regex Url();

    // With its port, and what ends a sentence.
    [GeneratedRegex("^(?:\\[[0-9a-f:.]+\\]|[\\w.-]+)(?::\\d{1,5})?[.,;:)]*$", RegexOptions.IgnoreCase, TimeoutMilliseconds)]
    private static partial Regex Host();

    // In a connection string, a shared access signature, or a URL without https://.
    [GeneratedRegex(
        "(?<=(?:AccountKey|SharedAccessSignature|sig|[?&]p)=)[^\\s;&']+|(?<=/smtp2go_)[^\\s']+|(?<=[^\\s'@/]:)[^\\s/'][^\\s']*(?=@)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        TimeoutMilliseconds)]
    private static partial Regex Secret();
}
