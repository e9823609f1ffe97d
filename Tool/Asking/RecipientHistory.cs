using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>One email as it went for one recipient.</summary>
internal sealed record ReceivedEmail(EmailHead Head, IReadOnlyList<StoredEvent> Events, Delivery Delivery);

/// <summary>Everything sent to an address, email by email, and whether mail to it arrives.</summary>
internal sealed record RecipientHistory(IReadOnlyList<ReceivedEmail> Emails, AddressState State)
{
    /// <summary>Events of one email lie between those of others, so all are held in memory: some 100 MB at this many.</summary>
    public const int MaxEvents = 200_000;

    /// <param name="since">Leaves out emails that nothing happened to since then. The verdicts come from all events.</param>
    /// <returns>Null if there are more events than <see cref="MaxEvents"/>.</returns>
    public static async Task<RecipientHistory?> ReadAsync(
        TableServiceClient service, string address, DateTimeOffset? since, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var state = new AddressState(address);
        Dictionary<string, List<StoredEvent>> emails = new(StringComparer.Ordinal);
        var read = 0L;
        var rows = service.RowsAsync(
            EventIndex.ByRecipientTable, EventQueries.OfRecipient(address, since: null), StoredEvent.Columns, cancellationToken);
        await foreach (var e in rows.Select(StoredEvent.Of).InOrderAsync())
        {
            if (++read > MaxEvents)
            {
                return null;
            }

            progress.Report(read);
            state.Add(e);

            // Without an id nothing tells which events belong together.
            var id = e.EmailId.Length > 0 ? e.EmailId : $" {read}";
            if (!emails.TryGetValue(id, out var events))
            {
                emails.Add(id, events = []);
            }

            events.Add(e);
        }

        return new RecipientHistory([.. emails.Values.Where(IsShown).Select(events => Of(address, events))], state);

        bool IsShown(List<StoredEvent> events) => since is null || events.Exists(e => e.Time >= since);
    }

    private static ReceivedEmail Of(string address, List<StoredEvent> events)
    {
        var delivery = new Delivery(address);
        events.ForEach(delivery.Add);
        return new ReceivedEmail(EmailHead.Of(events), events, delivery);
    }
}
