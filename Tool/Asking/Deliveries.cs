namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What became of one email, for each of its recipients.</summary>
internal sealed class Deliveries
{
    /// <summary>More than one email can have: the limit of the body bounds its list. They take some 20 MB.</summary>
    private const int MaxRecipients = 100_000;

    private readonly Dictionary<string, Delivery> byRecipient = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<Delivery> All => byRecipient.Values;

    /// <summary>The list of recipients was too long to store: those that only have <c>processed</c> are missing.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Those that did not simply arrive; what needs attention comes first.</summary>
    public IEnumerable<Delivery> Notable => All
        .Where(delivery => delivery.State != DeliveryState.Delivered)
        .OrderBy(delivery => delivery.State == DeliveryState.Waiting);

    /// <summary><c>1,200 recipients: 1,190 delivered, 10 bounced (hard)</c>.</summary>
    public string Describe()
    {
        var counts = All.CountBy(delivery => delivery.State).OrderByDescending(count => count.Value);
        return $"{PlainText.Count(All.Count, "recipient")}: "
            + string.Join(", ", counts.Select(count => $"{PlainText.Number(count.Value)} {Word(count.Key)}"));
    }

    public void Add(StoredEvent e)
    {
        IsIncomplete |= e.AreRecipientsCut;
        foreach (var recipient in e.Recipients)
        {
            if (!byRecipient.TryGetValue(recipient, out var delivery))
            {
                if (byRecipient.Count == MaxRecipients)
                {
                    IsIncomplete = true;
                    continue;
                }

                byRecipient.Add(recipient, delivery = new Delivery(recipient));
            }

            delivery.Add(e);
        }
    }

    private static string Word(DeliveryState state) => state switch
    {
        DeliveryState.Delivered => "delivered",
        DeliveryState.HardBounced => "bounced (hard)",
        DeliveryState.SoftBounced => "bounced (soft)",
        DeliveryState.Failed => "failed",
        DeliveryState.Rejected => "rejected",
        DeliveryState.Complained => "marked it as spam",
        DeliveryState.Unsubscribed => "unsubscribed",
        DeliveryState.OnlyTests => "only test events",
        _ => "waiting",
    };
}
