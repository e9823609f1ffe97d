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
}
