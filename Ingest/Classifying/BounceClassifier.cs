using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Classifying;

/// <summary>Says why an email bounced or was rejected.</summary>
public static class BounceClassifier
{
    /// <param name="eventName">As <see cref="EventName"/> spells it.</param>
    /// <param name="message">The other server's reply, or SMTP2GO's reason for a reject. Only its first 4,096 characters count.</param>
    /// <returns>One of <see cref="BounceClass.All"/>; null unless it is a bounce or a reject.</returns>
    public static string? Of(string eventName, string? message) => eventName switch
    {
        "bounce" => OfBounce(SmtpReply.Of(message)),
        "reject" => OfReject(SmtpReply.Of(message)),
        _ => null,
    };

    /// <summary>Whether a reject is because of the account's own limit or its credential.</summary>
    internal static bool IsOfAccount(string? reason) => IsIn(RejectTexts.OfAccount, ReplyWords.Of(SmtpReply.Of(reason).Text.Span));

    // A specific code, then the text, then a general code.
    private static string OfBounce(SmtpReply reply)
    {
        if (reply.EnhancedCode is { } code && EnhancedCodes.ClassAlone(code) is { } certain)
        {
            return certain;
        }

        var words = ReplyWords.Of(reply.Text.Span);
        foreach (var group in ReplyTexts.OfBounces)
        {
            if (group.IsIn(words, reply.IsTemporary))
            {
                return group.Class;
            }
        }

        return (reply.EnhancedCode is { } general ? EnhancedCodes.ClassWithoutText(general) : null) ?? BounceClass.Other;
    }

    private static string OfReject(SmtpReply reply)
    {
        var words = ReplyWords.Of(reply.Text.Span);
        if (IsIn(RejectTexts.OfSandbox, words))
        {
            return BounceClass.Sandboxed;
        }

        if (IsIn(RejectTexts.OfAccount, words))
        {
            return BounceClass.Other;
        }

        var isSaid = IsIn(RejectTexts.OfSender, words) || IsIn(RejectTexts.OfSuppression, words);
        var sender = FirstOf(isSaid ? RejectTexts.OfSender : RejectTexts.LikelyOfSender, words);
        var suppression = FirstOf(isSaid ? RejectTexts.OfSuppression : RejectTexts.LikelyOfSuppression, words);
        return sender < Math.Min(suppression, FirstOf(RejectTexts.OfRecipient, words)) ? BounceClass.SenderNotVerified
            : suppression < int.MaxValue ? BounceClass.Suppressed
            : BounceClass.Other;
    }

    private static bool IsIn(string[] phrases, string words) => FirstOf(phrases, words) < int.MaxValue;

    private static int FirstOf(string[] phrases, string words)
    {
        var first = int.MaxValue;
        foreach (var phrase in phrases)
        {
            first = words.IndexOf(phrase, StringComparison.Ordinal) is var at and >= 0 ? Math.Min(first, at) : first;
        }

        return first;
    }
}
