namespace Smtp2GoIngest.Classifying;

/// <summary>Whose fault a reject is, in one word.</summary>
public static class RejectFault
{
    /// <summary>SMTP2GO does not send to this recipient.</summary>
    public const string Recipient = "recipient";

    /// <summary>It is about who sends, or about their account: another recipient would have been rejected too.</summary>
    public const string Sender = "sender";

    public const string Unknown = "unknown";

    /// <param name="bounceClass">One of <see cref="BounceClass.All"/>; null if there is none, as of an SMS.</param>
    /// <param name="reason">What SMTP2GO says. The account's own limit has no class, so only this tells.</param>
    public static string Of(string? bounceClass, string? reason) => bounceClass switch
    {
        BounceClass.Suppressed => Recipient,
        BounceClass.SenderNotVerified or BounceClass.Sandboxed => Sender,
        _ => BounceClassifier.IsOfAccount(reason) ? Sender : Unknown,
    };
}
