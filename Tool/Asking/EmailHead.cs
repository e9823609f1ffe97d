namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What identifies an email to a person.</summary>
/// <param name="Sent">When SMTP2GO processed it, if that is known, otherwise the time of its first event.</param>
internal sealed record EmailHead(string EmailId, string? Subject, string? Sender, DateTimeOffset? Sent)
{
    /// <param name="events">All of one email's, or the first of them, in order of time.</param>
    public static EmailHead Of(IReadOnlyList<StoredEvent> events) => new(
        events[0].EmailId,
        events.Select(e => e.Subject).FirstOrDefault(subject => subject is not null),
        events.Select(e => e.Sender).FirstOrDefault(sender => sender is not null),
        (events.FirstOrDefault(e => e.Name is "processed" or "sms_submitted") ?? events[0]).Time);
}
