namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Does mail to an address arrive? A fold over its events in order of time; test events are ignored.</summary>
internal sealed class AddressState(string address)
{
    private StoredEvent? delivered;
    private StoredEvent? hardBounce;
    private StoredEvent? softBounce;
    private StoredEvent? suppressed;
    private StoredEvent? senderRejected;
    private StoredEvent? complained;
    private StoredEvent? unsubscribed;
    private int softBounces;

    public void Add(StoredEvent e)
    {
        switch (e.Name)
        {
            case var _ when e.IsTest:
                break;
            case "delivered" or "sms_delivered":
                (delivered, hardBounce, softBounce, suppressed, softBounces) = (e, null, null, null, 0);
                break;
            case "bounce" when e.IsHardBounce:
                hardBounce = e;
                break;
            case "bounce" or "sms_failed":
                (softBounce, softBounces) = (e, softBounces + 1);
                break;
            case "reject" when Rejection.Of(e.Reply).IsAboutRecipient:
                suppressed = e;
                break;
            case "reject" or "sms_rejected":
                senderRejected = e;
                break;
            case "spam":
                complained = e;
                break;
            case "unsubscribe" or "opt-out":
                unsubscribed = e;
                break;
            case "resubscribe":
                (complained, unsubscribed, suppressed) = (null, null, null);
                break;
        }
    }

    /// <summary>The answer in one sentence.</summary>
    public string Describe(TimeText times)
    {
        var last = delivered is null ? "nothing was ever delivered to it" : $"the last delivery was on {times.InSentence(delivered.Time)}";
        var (mail, unknown) = ($"Mail to {address}", $"It is not known whether mail to {address} arrives");
        return this switch
        {
            { complained: { } e } => $"{mail} should not be sent: it marked an email as spam on {times.InSentence(e.Time)}; {last}.",
            { unsubscribed: { } e } => $"{mail} should not be sent: it unsubscribed on {times.InSentence(e.Time)}; {last}.",
            { hardBounce: { } e } => $"{mail} does not arrive: it bounced for good on {times.InSentence(e.Time)}{Why(e)}; {last}.",
            { suppressed: { } e } => $"{mail} does not arrive: SMTP2GO suppressed it on {times.InSentence(e.Time)}{Why(e)}; {last}.",
            { softBounce: { } e } => $"{mail} may not arrive: {Bounces()}, last on {times.InSentence(e.Time)}{Why(e)}; {last}.",
            { delivered: not null } => $"{mail} arrives: {last}.",
            { senderRejected: { } e } =>
                $"{unknown}: SMTP2GO rejected the email on {times.InSentence(e.Time)}{Why(e)}.",
            _ => $"{unknown}: so far nothing was delivered and nothing bounced.",
        };

        string Bounces() => softBounces == 1 ? "the last email was a soft bounce" : $"the last {softBounces} emails were soft bounces";
    }

    private static string Why(StoredEvent e) => e.Reply is { } reply ? $" ({reply})" : string.Empty;
}
