using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// What a webhook's event and one of <c>/activity/search</c> have in common. They share no id, so the events of a group can only be
/// counted, and paired by their times.
/// </summary>
/// <param name="Address">In lower case; empty for <c>processed</c>, which is one for each email.</param>
public readonly record struct EventGroup(string EmailId, EventKind Kind, string Address)
{
    internal static EventGroup Of(string emailId, EventKind kind, string? address) =>
        new(emailId, kind, kind.IsOfEmail ? string.Empty : RecipientAddresses.Unwrap(address ?? string.Empty).ToLowerInvariant());
}

/// <summary>Why an event is left out of the comparison.</summary>
public enum NotComparable
{
    /// <summary>Stored: sent by SMTP2GO's test button, which its activity does not have.</summary>
    TestEvent,

    /// <summary>Stored: it names no email. Some rejects are like that.</summary>
    NoEmailId,

    /// <summary>The same, in SMTP2GO: it cannot be filled in.</summary>
    NoEmailIdInSmtp2Go,

    /// <summary>On either side: it should name a recipient, and does not.</summary>
    NoRecipient,

    /// <summary>Stored: <c>/activity/search</c> has no SMS.</summary>
    Sms,

    /// <summary>In SMTP2GO: its name or its time is unknown to this app.</summary>
    UnknownEvent,
}
