using Smtp2GoIngest.Classifying;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What a class of bounce or reject means, and what to do about it: the short form of docs/deliverability.md.</summary>
internal sealed record ClassMeaning(string Meaning, string Advice)
{
    /// <summary>Null if there is no class, or only a newer version knows it.</summary>
    public static ClassMeaning? Of(string? bounceClass) => bounceClass switch
    {
        BounceClass.InvalidRecipient => new("There is no such mailbox or domain.", "Stop mailing the address."),
        BounceClass.MailboxFull => new("The mailbox is full.", "Try again in a few days. After several in a row, stop."),
        BounceClass.Blocked => new(
            "The other side does not want mail from this sender.", "Read the reply: it often names the list and how to get off it."),
        BounceClass.Authentication => new(
            "SPF, DKIM, DMARC or reverse DNS is missing or does not match.", "Check the sender's domain in SMTP2GO and its DNS records."),
        BounceClass.Content => new(
            "This message was refused because of its content.", "Look at its links, attachments and wording. Keep the recipient."),
        BounceClass.TooLarge => new("The message is larger than the other side accepts.", "Send a link instead of the attachment."),
        BounceClass.Throttled => new(
            "Too many emails or connections at once, or greylisting.",
            "SMTP2GO retries automatically. Spread large mailings over more hours."),
        BounceClass.Unreachable => new(
            "The other server could not be reached, or is not working.", "Wait. If it lasts for days, check the spelling of the domain."),
        BounceClass.Suppressed => new(
            "SMTP2GO did not send it: the recipient is on a suppression list.",
            "Stop mailing the address, or take it off the list in SMTP2GO."),
        BounceClass.SenderNotVerified => new(
            "SMTP2GO did not send it: the sender is not verified.", "Verify the domain or address in SMTP2GO, then send the emails again."),
        BounceClass.Sandboxed => new(
            "SMTP2GO did not send it: the credential is in sandbox mode.", "Use another credential in production."),
        BounceClass.Other => new("The reply does not say why, or says something unusual.", "Read the reply."),
        _ => null,
    };
}
