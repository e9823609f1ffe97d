using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Does mail to an address arrive, and may any be sent? From its rows, those without a time first, as they are folded.</summary>
internal sealed class AddressState(string address)
{
    private readonly RecipientFold fold = new();

    // Since the last delivery. One email may bounce several times.
    private readonly HashSet<string> softBounced = new(StringComparer.Ordinal);

    private StoredEvent? delivered;
    private StoredEvent? reacted;
    private StoredEvent? softBounce;
    private StoredEvent? rejected;

    /// <summary>What a row of <c>Smtp2GoRecipients</c> should say; null if there should be none.</summary>
    public RecipientState? Folded => fold.State;

    public StoredEvent Add(TableEntity row)
    {
        fold.Add(row);
        var e = StoredEvent.Of(row);
        switch (e.Name)
        {
            case var _ when e.IsTest:
                break;
            case "delivered" or "sms_delivered":
                (delivered, softBounce, rejected) = (e, null, null);
                softBounced.Clear();
                break;
            case "resubscribe":
                (softBounce, rejected) = (null, null);
                softBounced.Clear();
                break;
            case "open" or "click":
                reacted = e;
                break;
            case "bounce" or "sms_failed" when !e.IsHardBounce:
                softBounce = e;
                softBounced.Add(e.EmailId.Length > 0 ? e.EmailId : $" {softBounced.Count}");
                break;
            case "reject" or "sms_rejected" when !e.IsSuppressed:
                rejected = e;
                break;
        }

        return e;
    }

    /// <summary>The answer in one sentence.</summary>
    public string Describe(TimeText times)
    {
        var last = delivered is { Time: null } ? "the last delivery has no time"
            : delivered is not null ? $"the last delivery was{times.On(delivered.Time)}"
            : reacted is not null ? $"no delivery event is stored, but an email was opened or clicked{times.On(reacted.Time)}"
            : "nothing was ever delivered to it";
        var (mail, unknown) = ($"Mail to {address}", $"It is not known whether mail to {address} arrives");
        var since = times.On(fold.State?.StateSince);
        var why = fold.Cause is { } cause ? Why(StoredEvent.Of(cause)) : string.Empty;
        return fold.State?.State switch
        {
            RecipientState.Complained => $"{mail} should not be sent: it marked an email as spam{since}; {last}.",
            RecipientState.Unsubscribed => $"{mail} should not be sent: it unsubscribed{since}; {last}.",
            RecipientState.HardBounced => $"{mail} does not arrive: it bounced for good{since}{why}; {last}.",
            RecipientState.Suppressed => $"{mail} does not arrive: SMTP2GO rejected it{since}{why}; {last}.",
            _ => (softBounce, rejected, IsReached: (delivered ?? reacted) is not null) switch
            {
                ({ } e, _, _) => $"{mail} may not arrive: {Bounces(e)}{times.On(e.Time)}{Why(e)}; {last}.",
                (_, { } e, IsReached: false) => $"{unknown}: SMTP2GO rejected the email{times.On(e.Time)}{Why(e)}.",
                (_, { IsSendersFault: true } e, _) =>
                    $"{mail} arrives: {last}. But SMTP2GO rejected one later because of the sender{times.On(e.Time)}{Why(e)}.",
                (_, { } e, _) => $"{mail} may not arrive: SMTP2GO rejected the last email{times.On(e.Time)}{Why(e)}; {last}.",
                (_, _, IsReached: false) => $"{unknown}: so far nothing was delivered and nothing bounced.",
                _ => $"{mail} arrives: {last}.",
            },
        };
    }

    /// <summary>The answer in one sentence, from the stored state alone: without the reply that began it.</summary>
    public static string Describe(RecipientState? state, string address, TimeText times)
    {
        var mail = $"Mail to {address}";
        var since = times.On(state?.StateSince);
        var last = state?.LastDelivered is { } time ? $"; the last delivery was{times.On(time)}" : string.Empty;
        return state?.State switch
        {
            RecipientState.Complained => $"{mail} should not be sent: it marked an email as spam{since}{last}.",
            RecipientState.Unsubscribed => $"{mail} should not be sent: it unsubscribed{since}{last}.",
            RecipientState.HardBounced => $"{mail} does not arrive: it bounced for good{since}{last}.",
            RecipientState.Suppressed => $"{mail} does not arrive: SMTP2GO rejected it{since}{last}.",
            RecipientState.SoftBouncing => $"{mail} may not arrive: it bounced softly again and again{since}{last}.",
            null or RecipientState.Active => $"{mail} may be sent: no bounce, complaint or unsubscribe stands against it{last}.",
            _ => $"It is not known whether mail to {address} may be sent: a newer version of the app knows its state{last}.",
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
