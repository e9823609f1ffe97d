using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>A message for standard error.</summary>
internal static partial class MessageText
{
    private const int Longest = 600;

    /// <summary>
    /// One line of bounded length without a secret: an argument that the message quotes may be long, a whole URL or a connection string.
    /// </summary>
    public static string Of(string message)
    {
        var plain = Secret().Replace(PlainText.Of(message), "…");
        return plain.Length <= Longest ? plain : $"{plain[..(Longest / 2)]}…{plain[^(Longest / 2)..]}";
    }

    // In a connection string, a shared access signature, or a URL with a user name and a password.
    [GeneratedRegex(
        "(?<=(?:AccountKey|SharedAccessSignature|sig|[?&]p)=)[^\\s;&']+|(?<=://)[^\\s/@']*(?=@)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Secret();
}
