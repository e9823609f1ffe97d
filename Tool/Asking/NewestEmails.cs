using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The newest emails to an address with too many events to read all of them.</summary>
internal sealed class NewestEmails(TableServiceClient service, string address, TimeProvider time)
{
    /// <summary>How many events are read at a time.</summary>
    public const int EventsPerPage = 500;

    /// <summary>The most that it keeps in memory.</summary>
    public const int MaxEvents = 5_000;

    private readonly NewestFirst events = new(service, EventSource.OfRecipient(address), time);

    // Each with its newest event first, and the emails by these.
    private readonly OrderedDictionary<string, List<StoredEvent>> byEmail = new(StringComparer.Ordinal);

    /// <summary>Events that were read.</summary>
    public int Count { get; private set; }

    public DateTimeOffset LookedBackTo => events.LookedBackTo;

    public bool IsAtEnd => events.IsAtEnd;

    public bool HasMore => !events.IsAtEnd && Count < MaxEvents;

    /// <summary>At the end: whether there are events without a time, which are not among them.</summary>
    public bool HasTimeless { get; private set; }

    /// <summary>By the time of their last event, the newest first.</summary>
    public IReadOnlyList<ReceivedEmail> Emails { get; private set; } = [];

    /// <summary>The state of an address as it was stored; null if nothing has happened that gives it one.</summary>
    public static async Task<RecipientState?> StateOfAsync(
        TableServiceClient service, string address, CancellationToken cancellationToken)
    {
        var partition = EventKeys.RecipientPartitionKey(address);
        var row = await service.GetTableClient(Recipients.TableName).GetEntityIfExistsAsync<TableEntity>(
            RecipientRow.DomainOf(partition), partition, cancellationToken: cancellationToken);
        return row.HasValue ? RecipientState.Of(row.Value) : null;
    }

    public async Task ReadMoreAsync(CancellationToken cancellationToken)
    {
        foreach (var e in await events.NextAsync(Math.Min(EventsPerPage, MaxEvents - Count), cancellationToken))
        {
            // Without an id, there is no telling which events belong together.
            var id = e.EmailId.Length > 0 ? e.EmailId : $" {Count}";
            Count++;
            if (!byEmail.TryGetValue(id, out var email))
            {
                byEmail.Add(id, email = []);
            }

            email.Add(e);
        }

        if (events.IsAtEnd)
        {
            HasTimeless = await service.AnyAsync(
                EventIndex.ByRecipientTable, EventQueries.OfRecipientWithoutTime(address), cancellationToken);
        }

        Emails = [.. byEmail.Values.Select(email => RecipientHistory.Of(address, [.. email.AsEnumerable().Reverse()]))];
    }

    /// <summary>Whether the first event of an email was read. Otherwise its outcome is not certain.</summary>
    public bool IsWhole(ReceivedEmail email) =>
        events.IsAtEnd || email.Events.Any(e => e.Name is "processed" or "sms_submitted" or "reject" or "sms_rejected");
}
