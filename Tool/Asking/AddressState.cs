namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Does mail to an address arrive? A fold over its events in order of time; test events are ignored.</summary>
internal sealed class AddressState(string address)
{
    // Since the last delivery.
    private readonly HashSet<string> softBounced = new(StringComparer.Ordinal);

    private StoredEvent? delivered;
    private StoredEvent? reacted;
    private StoredEvent? hardBounce;
    private StoredEvent? softBounce;
    private StoredEvent? rejected;
    private StoredEvent? complained;
    private StoredEvent? unsubscribed;
    private bool hasTime;

    public void Add(StoredEvent e)
    {
        hasTime |= e.Time is not null;
        switch (e.Name)
        {
            // Events without a time come last, and may have happened at any time.
            case var _ when e.IsTest || (hasTime && e.Time is null):
                break;
            case "delivered" or "sms_delivered":
                (delivered, hardBounce, softBounce, rejected) = (e, null, null, null);
                softBounced.Clear();
                break;
            case "open" or "click":
                reacted = e;
                break;
            case "bounce" when e.IsHardBounce:
                hardBounce = e;
                break;
            case "bounce" or "sms_failed":
                // One email may bounce several times.
                softBounce = e;
                softBounced.Add(e.EmailId.Length > 0 ? e.EmailId : $" {softBounced.Count}");
                break;
            case "reject" or "sms_rejected":
                rejected = e;
                break;
            case "spam":
                complained = e;
                break;
            case "unsubscribe" or "opt-out":
                unsubscribed = e;
                break;
            case "resubscribe":
                (complained, unsubscribed, rejected) = (null, null, null);
                break;
        }
    }

    /// <summary>The answer in one sentence.</summary>
    public string Describe(TimeText times)
    {
        var last = delivered is not null ? $"the last delivery was{times.On(delivered.Time)}"
            : reacted is not null ? $"no delivery event is stored, but an email was opened or clicked{times.On(reacted.Time)}"
            : "nothing was ever delivered to it";
        var (mail, unknown) = ($"Mail to {address}", $"It is not known whether mail to {address} arrives");
        return this switch
        {
            { complained: { } e } => $"{mail} should not be sent: it marked an email as spam{times.On(e.Time)}; {last}.",
            { unsubscribed: { } e } => $"{mail} should not be sent: it unsubscribed{times.On(e.Time)}; {last}.",
            { hardBounce: { } e } => $"{mail} does not arrive: it bounced for good{times.On(e.Time)}{Why(e)}; {last}.",
            { rejected: { } e } when Rejection.Of(e.Reply).IsAboutRecipient =>
                $"{mail} does not arrive: SMTP2GO rejected it{times.On(e.Time)}{Why(e)}; {last}.",
            { softBounce: { } e } => $"{mail} may not arrive: {Bounces(e)}{times.On(e.Time)}{Why(e)}; {last}.",
            { rejected: { } e, delivered: null, reacted: null } => $"{unknown}: SMTP2GO rejected the email{times.On(e.Time)}{Why(e)}.",
            { rejected: { } e } when Rejection.Of(e.Reply).IsAboutSender =>
                $"{mail} arrives: {last}. But SMTP2GO rejected one later because of the sender{times.On(e.Time)}{Why(e)}.",
            { rejected: { } e } => $"{mail} may not arrive: SMTP2GO rejected the last email{times.On(e.Time)}{Why(e)}; {last}.",
            { delivered: null, reacted: null } => $"{unknown}: so far nothing was delivered and nothing bounced.",
            _ => $"{mail} arrives: {last}.",
        };
    }

    private string Bounces(StoredEvent last) => (last.IsSms, softBounced.Count) switch
    {
        (true, 1) => "the last message failed",
        (true, var count) => FormattableString.Invariant($"the last {count:N0} messages failed, most recently"),
        (false, 1) => "the last email was a soft bounce",
        (false, var count) => FormattableString.Invariant($"the last {count:N0} emails were soft bounces, most recently"),
    };

    private static string Why(StoredEvent e) => e.Reply is { } reply ? $" ({reply})" : string.Empty;
}
