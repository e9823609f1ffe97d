namespace Smtp2GoIngest.Parsing;

/// <summary>SMTP2GO's names of events, each in one spelling.</summary>
public static class EventName
{
    /// <summary>The nine events of an email, as SMTP2GO's webhooks name them.</summary>
    public static readonly IReadOnlyList<string> OfEmails =
        ["processed", "delivered", "open", "click", "bounce", "spam", "unsubscribe", "resubscribe", "reject"];

    /// <summary>The events of an SMS that SMTP2GO documents.</summary>
    public static readonly IReadOnlyList<string> OfSms =
        ["sms_submitted", "sms_sending", "sms_delivered", "sms_failed", "sms_rejected"];

    /// <summary>Gives the spelling that is stored; an event that is not known keeps its own name.</summary>
    /// <param name="name">The name as sent.</param>
    public static string Normalize(string name) => name switch
    {
        "opened" => "open",
        "clicked" => "click",
        "bounced" => "bounce",
        "rejected" => "reject",
        "complaint" or "spam_complaint" => "spam",
        "unsubscribed" => "unsubscribe",
        "resubscribed" => "resubscribe",
        _ => name,
    };

    /// <summary>Tells whether a name is one that SMTP2GO documents, in the spelling that is stored.</summary>
    /// <param name="name">A normalised name.</param>
    public static bool IsKnown(string name) => OfEmails.Contains(name) || OfSms.Contains(name);
}
