namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What became of one email, for each of its recipients.</summary>
/// <param name="maxRecipients">Recipients beyond these are only counted.</param>
internal sealed class Deliveries(int maxRecipients = 1_000)
{
    private readonly Dictionary<string, Delivery> byRecipient = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> left = new(StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<Delivery> All => byRecipient.Values;

    /// <summary>How many recipients are not among <see cref="All"/>; the count stops at as many again.</summary>
    public int Others => left.Count;

    public void Add(StoredEvent e)
    {
        foreach (var recipient in e.Recipients)
        {
            if (byRecipient.TryGetValue(recipient, out var delivery))
            {
                delivery.Add(e);
            }
            else if (byRecipient.Count < maxRecipients)
            {
                byRecipient.Add(recipient, delivery = new Delivery(recipient));
                delivery.Add(e);
            }
            else if (left.Count < maxRecipients)
            {
                left.Add(recipient);
            }
        }
    }
}
