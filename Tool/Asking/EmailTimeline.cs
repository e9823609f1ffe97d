using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What happened to one email, and what became of it for each recipient.</summary>
/// <param name="Events">The first of them, in the order in which they happened.</param>
/// <param name="Count">How many were read. The verdicts come from all of these.</param>
/// <param name="IsCut">There are more, which were not read.</param>
internal sealed record EmailTimeline(
    EmailHead Head, IReadOnlyList<StoredEvent> Events, int Count, bool IsCut, Deliveries Deliveries)
{
    public const int MaxShown = 200;

    /// <summary>All events that name no email are in one partition.</summary>
    public const int MaxRead = 10_000;

    // As the tool does, which reads page by page.
    private const int MaxForHead = 1_000;

    /// <returns>Null if there is no such email.</returns>
    public static async Task<EmailTimeline?> ReadAsync(
        TableServiceClient service, string emailId, CancellationToken cancellationToken)
    {
        var deliveries = new Deliveries();
        List<StoredEvent> first = [];
        var count = 0;
        var events = service
            .RowsAsync(EventStore.TableName, EventQueries.OfEmail(emailId), StoredEvent.Columns, cancellationToken)
            .Take(MaxRead + 1)
            .Select(StoredEvent.Of)
            .InOrderAsync();
        await foreach (var e in events.WithCancellation(cancellationToken))
        {
            if (++count > MaxRead)
            {
                break;
            }

            deliveries.Add(e);
            if (first.Count < MaxForHead)
            {
                first.Add(e);
            }
        }

        return count == 0
            ? null
            : new EmailTimeline(
                EmailHead.Of(first), [.. first.Take(MaxShown)], Math.Min(count, MaxRead), count > MaxRead, deliveries);
    }
}
