namespace Smtp2GoIngest.Tool.Asking;

internal enum DeliveryState
{
    Waiting,
    Delivered,
    SoftBounced,
    HardBounced,
    Rejected,
    Complained,
    Unsubscribed,
    OnlyTests,
}

/// <summary>What became of one email for one recipient: a fold over its events, in whatever order they came.</summary>
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

    public string Recipient { get; } = recipient;

    public DeliveryState State =>
        !isReal ? DeliveryState.OnlyTests
        : complained is not null ? DeliveryState.Complained
        : unsubscribed is not null ? DeliveryState.Unsubscribed
        : rejected is not null && delivered is null ? DeliveryState.Rejected
        : bounced is { IsHardBounce: true } ? DeliveryState.HardBounced
        : delivered is not null || opened || clicked ? DeliveryState.Delivered
        : bounced is not null ? DeliveryState.SoftBounced
        : DeliveryState.Waiting;

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
                break;
            case "bounce" or "sms_failed":
                // A hard bounce is the last word; a soft one may be followed by another try.
                bounced = bounced is { IsHardBounce: true } ? bounced : e;
                softBounces += e.IsHardBounce ? 0 : 1;
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
    public string Describe(TimeText times, DateTimeOffset now)
    {
        List<string> sentences = [];
        switch (State)
        {
            case DeliveryState.OnlyTests:
                return "only test events";
            case DeliveryState.Waiting when processed is null:
                return "not known: neither delivered nor bounced so far";
            case DeliveryState.Waiting:
                return $"waiting: processed{Ago(processed.Time, now)}, neither delivered nor bounced so far";
        }

        if (rejected is not null && delivered is null)
        {
            sentences.Add(Rejection.Of(rejected.Reply).Describe(rejected.Reply));
        }
        else if (delivered is not null || opened || clicked)
        {
            sentences.Add(Delivered());
        }

        if (bounced is not null && (delivered is null || bounced.IsHardBounce))
        {
            var kind = bounced.Name == "sms_failed" ? "failed" : bounced.IsHardBounce ? "bounced (hard)" : "bounced (soft)";
            sentences.Add(bounced.Reply is { } why ? $"{kind}: {why}" : kind);
        }

        if (complained is not null)
        {
            sentences.Add($"marked as spam on {times.InSentence(complained.Time)}");
        }

        if (unsubscribed is not null)
        {
            sentences.Add($"unsubscribed on {times.InSentence(unsubscribed.Time)}");
        }

        return string.Join("; ", sentences);
    }

    private string Delivered()
    {
        var after = delivered?.Time - processed?.Time is { } time && time >= TimeSpan.Zero ? $" after {TimeText.Of(time)}" : string.Empty;
        var retries = softBounces > 0 && delivered is not null ? $" (soft bounces before that: {softBounces})" : string.Empty;
        var reaction = (opened, clicked) switch
        {
            (true, true) => ", opened and clicked",
            (true, false) => ", opened",
            (false, true) => ", clicked",
            _ => string.Empty,
        };
        return (delivered is null ? "reached the recipient, but no delivery event is stored" : $"delivered{after}{retries}") + reaction;
    }

    private static string Ago(DateTimeOffset? time, DateTimeOffset now) =>
        now - time is { } ago && ago >= TimeSpan.Zero ? $" {TimeText.Of(ago)} ago" : string.Empty;
}
