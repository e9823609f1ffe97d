using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Classifying;

/// <summary>Facts derived from an event. Each depends only on the event's fields, and is null where they do not tell.</summary>
public sealed record EventFacts
{
    /// <summary>The domain of the one recipient, in lower case.</summary>
    public string? RecipientDomain { get; init; }

    /// <summary>Who runs the recipient's mailbox, such as <c>gmail</c> or <c>microsoft365</c>.</summary>
    public string? MailboxProvider { get; init; }

    /// <summary>The reply code of the other server (RFC 5321), such as 550.</summary>
    public int? SmtpCode { get; init; }

    /// <summary>The enhanced status code (RFC 3463), such as <c>5.1.1</c>.</summary>
    public string? EnhancedCode { get; init; }

    /// <summary>One of <see cref="Classifying.BounceClass.All"/>; only of a bounce or a reject.</summary>
    public string? BounceClass { get; init; }

    /// <summary>Seconds from submission to delivery; only of a delivered event.</summary>
    public double? DeliverySeconds { get; init; }

    /// <summary>Only of an open or a click: whether a machine did it rather than a person. True or null.</summary>
    public bool? LikelyMachine { get; init; }

    /// <summary>What gave the machine away, such as <c>gmail-image-proxy</c>.</summary>
    public string? MachineReason { get; init; }

    public static EventFacts Of(EmailEvent e)
    {
        var message = e.ValueOf("message");
        var reply = SmtpReply.Of(message);
        var domain = Classifying.RecipientDomain.Of(e);
        var machine = Classifying.MachineReason.Of(e);
        return new EventFacts
        {
            RecipientDomain = domain,
            MailboxProvider = Classifying.MailboxProvider.Of(e.ValueOf("host"), domain),
            SmtpCode = reply.Code,
            EnhancedCode = reply.EnhancedCode,
            BounceClass = BounceClassifier.Of(e.Name, message),
            DeliverySeconds = Classifying.DeliverySeconds.Of(e),
            LikelyMachine = machine is null ? null : true,
            MachineReason = machine,
        };
    }
}
