namespace Smtp2GoIngest.Parsing;

/// <summary>The names of SMTP2GO's events, each in one spelling.</summary>
public static class EventName
{
    /// <summary>The nine events of an email, as SMTP2GO's webhooks name them.</summary>
    public static readonly IReadOnlyList<string> OfEmails =
        ["processed", "delivered", "open", "click", "bounce", "spam", "unsubscribe", "resubscribe", "reject"];

    /// <summary>The events of an SMS that SMTP2GO documents. How it spells the opt-out is not documented.</summary>
    public static readonly IReadOnlyList<string> OfSms =
        ["sms_submitted", "sms_sending", "sms_delivered", "sms_failed", "sms_rejected", "opt-out"];

    /// <summary>The spelling that is stored. An unknown event keeps its name.</summary>
    public static string Normalize(string name) => name switch
    {
        "opened" => "open",
        "clicked" => "click",
        "bounced" => "bounce",
        "rejected" => "reject",
        "complaint" or "spam_complaint" => "spam",
        "unsubscribed" => "unsubscribe",
        "resubscribed" => "resubscribe",
        "sms_opt_out" => "opt-out",
        _ => name,
    };

    /// <summary>Whether SMTP2GO documents an event with this normalised name.</summary>
    public static bool IsKnown(string name) => OfEmails.Contains(name) || OfSms.Contains(name);
}
