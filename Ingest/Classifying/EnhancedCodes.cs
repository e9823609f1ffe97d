using System.Collections.Frozen;

namespace Smtp2GoIngest.Classifying;

/// <summary>What the enhanced status codes of RFC 3463 mean.</summary>
internal static class EnhancedCodes
{
    public const string Version = "1";
    public const string Date = "2026-11-26";

    /// <summary>Microsoft's own codes have three digits at the end, and are not registered.</summary>
    public const string Source =
        "https://www.iana.org/assignments/smtp-enhanced-status-codes (of 2024-12-06); "
        + "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online";

    // These are so specific that the text adds nothing. X is 4 or 5.
    private static readonly FrozenDictionary<string, string> Specific = Of(
        (BounceClass.InvalidRecipient, "5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.1.351 5.4.310 5.7.17 5.7.18"),
        (BounceClass.MailboxFull, "X.2.2"),
        (BounceClass.TooLarge, "X.2.3 X.3.4"),
        (BounceClass.Throttled, "X.5.3 X.2.121 X.2.122"),
        (BounceClass.Authentication, "X.7.20 X.7.21 X.7.22 X.7.23 X.7.24 X.7.25 X.7.26 X.7.509 X.7.515"),
        (BounceClass.Blocked, "5.7.124 5.7.129 5.7.133 5.7.134 5.7.136 5.7.511 5.7.513 5.7.708"));

    // These count if the text says nothing. Servers use them for too much: Gmail's X.7.27 is SPF, the registered one is a null MX.
    private static readonly FrozenDictionary<string, string> General = Of(
        (BounceClass.InvalidRecipient, "X.1 X.2.1 X.2.4 X.7.13"),
        (BounceClass.Unreachable, "X.3 X.4 X.7.10 X.7.30"),
        (BounceClass.Other, "X.3.3 X.4.6"),
        (BounceClass.Throttled, "X.4.5 4.7.28 4.7"),
        (BounceClass.Content, "X.6 5.7.512"),
        (BounceClass.TooLarge, "X.7.16"),
        (BounceClass.Authentication, "X.7.7 X.7.29"),
        (BounceClass.Blocked, "X.1.7 X.1.8 5.7"));

    // They say less than their neighbours: no more than "security", "features" and "priority".
    private static readonly FrozenSet<string> Nothing = FrozenSet.Create("5.7.0", "5.7.8", "5.7.9", "5.7.15", "5.7.19", "4.7.0");

    /// <summary>The class of a code that needs no text beside it; null for any other.</summary>
    public static string? ClassAlone(string code) => Specific.GetValueOrDefault(code);

    /// <summary>The class of a code whose text says nothing; null if the code says nothing either.</summary>
    public static string? ClassWithoutText(string code) =>
        General.GetValueOrDefault(code)
        ?? (Nothing.Contains(code) ? null : General.GetValueOrDefault(code[..code.LastIndexOf('.')]));

    private static FrozenDictionary<string, string> Of(params ReadOnlySpan<(string Class, string Codes)> rows)
    {
        var classes = new Dictionary<string, string>();
        foreach (var (name, codes) in rows)
        {
            foreach (var code in codes.Split(' '))
            {
                foreach (var digit in code[0] == 'X' ? "45" : code[..1])
                {
                    classes.Add(digit + code[1..], name);
                }
            }
        }

        return classes.ToFrozenDictionary();
    }
}
