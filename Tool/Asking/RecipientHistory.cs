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
    public static Task<RecipientHistory?> ReadAsync(
        TableServiceClient service, string address, DateTimeOffset? since, IProgress<long> progress, CancellationToken cancellationToken) =>
        ReadAsync(service, address, since, MaxEvents, progress, cancellationToken);

    /// <summary>The same, with another limit of events.</summary>
    public static async Task<RecipientHistory?> ReadAsync(
        TableServiceClient service,
        string address,
        DateTimeOffset? since,
        int maxEvents,
        IProgress<long> progress,
        CancellationToken cancellationToken)
    {
        var state = new AddressState(address);
        Dictionary<string, List<StoredEvent>> emails = new(StringComparer.Ordinal);
        var read = 0L;

        // Events without a time count as the oldest for the state, and are shown last.
        var timeless = await EventsOf(EventQueries.OfRecipientWithoutTime(address)).Take(maxEvents + 1).ToListAsync(cancellationToken);
        var timed = EventsOf(EventQueries.OfRecipient(address, since: DateTimeOffset.MinValue)).InOrderAsync();
        await foreach (var e in timed.Concat(timeless.ToAsyncEnumerable()).WithCancellation(cancellationToken))
        {
            if (++read > maxEvents)
            {
                return null;
            }

            progress.Report(read);

            // Without an id nothing tells which events belong together.
            var id = e.EmailId.Length > 0 ? e.EmailId : $" {read}";
            if (!emails.TryGetValue(id, out var events))
            {
                emails.Add(id, events = []);
            }

            events.Add(e);
        }

        return new RecipientHistory([.. emails.Values.Where(IsShown).Select(events => Of(address, events))], state);

        IAsyncEnumerable<StoredEvent> EventsOf(string filter) =>
            service.RowsAsync(EventIndex.ByRecipientTable, filter, StoredEvent.Columns, cancellationToken).Select(state.Add);

        bool IsShown(List<StoredEvent> events) => since is null || events.Exists(e => e.Time >= since);
    }

    /// <param name="events">In the order in which they happened.</param>
    public static ReceivedEmail Of(string address, List<StoredEvent> events)
    {
        var delivery = new Delivery(address);
        events.ForEach(delivery.Add);
        return new ReceivedEmail(EmailHead.Of(events), events, delivery);
    }
}
