namespace Smtp2GoIngest.Tool.Asking;

internal enum DeliveryState
{
    Waiting,
    Delivered,
    SoftBounced,
    HardBounced,
    Failed,
    Rejected,
    Complained,
    Unsubscribed,
    OnlyTests,
}

/// <summary>What became of one email for one recipient: a fold over its events in order of time.</summary>
internal sealed class Delivery(string recipient)
{
    private StoredEvent? processed;
    private StoredEvent? delivered;
    private StoredEvent? bounced;
    private StoredEvent? rejected;
    private StoredEvent? complained;
    private StoredEvent? unsubscribed;
    private int softBounces;
    private bool opened;
    private bool clicked;
    private bool isReal;

    // Of a hard bounce and a delivery, which contradict each other, the later one counts.
    private bool isDeliveredLast;

    public string Recipient { get; } = recipient;

    public DeliveryState State =>
        !isReal ? DeliveryState.OnlyTests
        : complained is not null ? DeliveryState.Complained
        : unsubscribed is not null ? DeliveryState.Unsubscribed
        : rejected is not null && delivered is null ? DeliveryState.Rejected
        : bounced is { IsHardBounce: true } && !isDeliveredLast ? DeliveryState.HardBounced
        : IsReached ? DeliveryState.Delivered
        : bounced is { IsSms: true } ? DeliveryState.Failed
        : bounced is not null ? DeliveryState.SoftBounced
        : DeliveryState.Waiting;

    /// <summary>Why it bounced, failed or was rejected, if any of these happened.</summary>
    public string? Class => State switch
    {
        DeliveryState.Rejected => rejected!.Class,
        DeliveryState.HardBounced or DeliveryState.SoftBounced or DeliveryState.Failed => bounced!.Class,
        _ => null,
    };

    public bool IsOpened => opened || clicked;

    public bool IsReached => delivered is not null || opened || clicked;

    public void Add(StoredEvent e)
    {
        isReal |= !e.IsTest;
        switch (e.Name)
        {
            case "processed" or "sms_submitted":
                processed ??= e;
                break;
            case "delivered" or "sms_delivered":
                delivered ??= e;
                isDeliveredLast = e.Time is not null;
                break;
            case "bounce" or "sms_failed":
                // A hard bounce is the last word; a soft one may be followed by another try.
                bounced = bounced is { IsHardBounce: true } ? bounced : e;
                isDeliveredLast &= !e.IsHardBounce;
                softBounces += !e.IsHardBounce && delivered is null ? 1 : 0;
                break;
            case "reject" or "sms_rejected":
                rejected = e;
                break;
            case "open":
                opened = true;
                break;
            case "click":
                clicked = true;
                break;
            case "spam":
                complained ??= e;
                break;
            case "unsubscribe" or "opt-out":
                unsubscribed = e;
                break;
            case "resubscribe":
                unsubscribed = null;
                break;
        }
    }

    /// <summary>The verdict in words, without the recipient.</summary>
    /// <param name="now">To say for how long the email has been waiting.</param>
    public string Describe(TimeText times, DateTimeOffset now) => State switch
    {
        DeliveryState.OnlyTests => "only test events",
        DeliveryState.Waiting when processed is null => "not known: neither delivered nor bounced so far",
        DeliveryState.Waiting => $"waiting: processed{Ago(processed.Time, now)}, neither delivered nor bounced so far",
        _ => string.Join("; ", Facts(times)),
    };

    private IEnumerable<string> Facts(TimeText times)
    {
        if (rejected is not null && delivered is null)
        {
            var who = rejected.IsSuppressed ? "because of the recipient" : rejected.IsSendersFault ? "because of the sender" : "by SMTP2GO";
            yield return rejected.Reply is { } why ? $"rejected {who}: {why}" : $"rejected {who}";
        }
        else if (IsReached)
        {
            yield return Reached();
        }

        // After a delivery only a hard bounce, or a soft one that came later, says something more.
        if (bounced is not null && (delivered is null || bounced.IsHardBounce || bounced.Time > delivered.Time))
        {
            var kind = bounced.IsSms ? "failed" : bounced.IsHardBounce ? "bounced (hard)" : "bounced (soft)";
            var order = delivered?.Time is null ? string.Empty : bounced.IsHardBounce && isDeliveredLast ? "before that " : "later ";
            yield return bounced.Reply is { } why ? $"{order}{kind}: {why}" : order + kind;
        }

        if (complained is not null)
        {
            yield return $"marked as spam{times.On(complained.Time)}";
        }

        if (unsubscribed is not null)
        {
            yield return $"unsubscribed{times.On(unsubscribed.Time)}";
        }
    }

    private string Reached()
    {
        var after = delivered?.Time - processed?.Time is { } time && time >= TimeSpan.Zero ? $" after {TimeText.Of(time)}" : string.Empty;
        var retries = softBounces > 0 && delivered is not null ? $" (soft bounces before that: {softBounces})" : string.Empty;
        var reaction = (opened, clicked) switch
        {
            (true, true) => "opened and clicked",
            (true, false) => "opened",
            (false, true) => "clicked",
            _ => null,
        };
        return delivered is null ? $"{reaction}, but no delivery event is stored"
            : $"delivered{after}{retries}{(reaction is null ? null : $", {reaction}")}";
    }

    private static string Ago(DateTimeOffset? time, DateTimeOffset now) =>
        now - time is { } ago && ago >= TimeSpan.Zero ? $" {TimeText.Of(ago)} ago" : string.Empty;
}
