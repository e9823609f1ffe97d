namespace Smtp2GoIngest.Classifying;

/// <summary>
/// What SMTP2GO's reject reasons mean. It publishes no list of them. A reason is about whichever it names first: the sender or
/// the recipient. Only one that says so suppresses the recipient: "Too many recipients" does not.
/// </summary>
internal static class RejectTexts
{
    public const string Version = "2";
    public const string Date = "2026-11-26";
    public const string Source =
        "https://developers.smtp2go.com/docs/webhooks-overview; published webhooks; SMTP2GO's names for suppressions";

    public static readonly string[] OfSandbox = ["sandbox"];

    /// <summary>The account's own limits: the sender's fault, but no class of its own.</summary>
    public static readonly string[] OfAccount = ["credential", "quota", "limit"];

    public static readonly string[] OfSender = ["sender", "from address", "domain is not verified", "unverified"];

    /// <summary>They only say whom the reason is about.</summary>
    public static readonly string[] OfRecipient = ["recipient"];

    /// <summary>SMTP2GO does not send to this recipient. An address that it cannot verify or read counts as one on its list.</summary>
    public static readonly string[] OfSuppression =
    [
        "suppress", "unsubscribe", "block list", "blocklist", "bounced", "recipient address could not be verified",
        "not a valid email address",
    ];

    /// <summary>Only if nothing above is named: what is verified is a sender, and who complains is a recipient.</summary>
    public static readonly string[] LikelyOfSender = ["verif"];

    public static readonly string[] LikelyOfSuppression = ["complain", "opted out"];
}
