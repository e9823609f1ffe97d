namespace Smtp2GoIngest.Classifying;

/// <summary>Why an email bounced or was rejected, in one word: what to do about it is in docs/deliverability.md.</summary>
public static class BounceClass
{
    /// <summary>The address does not exist or is closed for good: no such user, no such domain.</summary>
    public const string InvalidRecipient = "invalid-recipient";

    /// <summary>The recipient's mailbox or quota is full.</summary>
    public const string MailboxFull = "mailbox-full";

    /// <summary>Refused because of the sender: reputation, a blocklist, a policy against this sender.</summary>
    public const string Blocked = "blocked";

    /// <summary>SPF, DKIM, DMARC or reverse DNS failed or is missing.</summary>
    public const string Authentication = "authentication";

    /// <summary>Refused because of the message: spam, a virus, a forbidden attachment, malformed headers.</summary>
    public const string Content = "content";

    /// <summary>The message is larger than the other side allows.</summary>
    public const string TooLarge = "too-large";

    /// <summary>Too many messages, connections or recipients, or greylisting: later it would be accepted.</summary>
    public const string Throttled = "throttled";

    /// <summary>The other server could not be reached (no route, no connection, no TLS), or it is broken.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>SMTP2GO did not send it: the recipient is on a suppression list.</summary>
    public const string Suppressed = "suppressed";

    /// <summary>SMTP2GO did not send it: the sender's domain or address is not verified.</summary>
    public const string SenderNotVerified = "sender-not-verified";

    /// <summary>SMTP2GO did not send it: the credential is in a sandbox.</summary>
    public const string Sandboxed = "sandboxed";

    /// <summary>None of these, or the text does not say.</summary>
    public const string Other = "other";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All =
    [
        InvalidRecipient, MailboxFull, Blocked, Authentication, Content, TooLarge, Throttled, Unreachable, Suppressed, SenderNotVerified,
        Sandboxed, Other,
    ];
}
