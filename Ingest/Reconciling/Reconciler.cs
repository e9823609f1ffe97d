using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// Compares what is stored with SMTP2GO's own activity, hour by hour, and fills in what is missing: through the queue, like any webhook.
/// </summary>
/// <remarks>
/// It remembers nothing. A run that was cut short is started again; what it had filled in is found, or is the same event again and is
/// stored once. An hour is compared together with the hours around it, for events whose times differ between the two sides.
/// </remarks>
public sealed class Reconciler
{
    // Webhooks that arrive together share a queue message.
    private const int MaxParallel = 64;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly WebhookQueue queue;
    private readonly TimeProvider time;
    private readonly ActivityReader activity;
    private readonly StoredActivity stored;
    private readonly SupersededRows superseded;

    public Reconciler(
        Smtp2GoClient smtp2Go,
        TableServiceClient service,
        WebhookQueue queue,
        EventStore events,
        Recipients recipients,
        WebhookBlobs blobs,
        TimeProvider time)
    {
        (this.queue, this.time) = (queue, time);
        activity = new ActivityReader(smtp2Go);
        stored = new StoredActivity(service);
        superseded = new SupersededRows(service, events, recipients, blobs);
    }

    /// <summary>Reconciles a window, in order of time. What is read is kept for three hours of the window at a time.</summary>
    /// <param name="apply">Fills in what is missing and removes what was filled in and is superseded; otherwise nothing changes.</param>
    /// <returns>Each hour, when it is done.</returns>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async IAsyncEnumerable<ReconciledSlice> ReconcileAsync(
        ReconcileWindow window, bool apply, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (window.IsEmpty)
        {
            yield break;
        }

        var end = EndOfSearchable(window.Until + Hour);
        var smtp2Go = new ActivityAhead(activity, window.From, end);
        var before = await ReadAsync(smtp2Go, window.From - Hour, window.From, cancellationToken);
        var current = await ReadAsync(smtp2Go, window.From, EndOf(window.From, window.Until), cancellationToken);
        while (current.From < window.Until)
        {
            var isLast = current.Until == window.Until;
            var after = await ReadAsync(smtp2Go, current.Until, EndOf(current.Until, isLast ? end : window.Until), cancellationToken);
            var slice = await ReconcileAsync(before, current, after, apply, cancellationToken);
            yield return slice with { Books = slice.Books.Plus(await SmsOfDayAsync(window, current.From, cancellationToken)) };
            if (isLast)
            {
                yield break;
            }

            (before, current) = (current, after);
        }
    }

    // Within one hour of the clock, so that it is within one day.
    private static DateTimeOffset EndOf(DateTimeOffset from, DateTimeOffset until) =>
        ReconcileWindow.WholeHour(from) + Hour is var end && end < until ? end : until;

    private DateTimeOffset EndOfSearchable(DateTimeOffset until) =>
        ReconcileWindow.WholeMinute(time.GetUtcNow() - ReconcileWindow.Searchable) is var end && end < until ? end : until;

    private async Task<BothSides> ReadAsync(
        ActivityAhead smtp2Go, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (from >= until)
        {
            return new BothSides(from, from, [], StoredSlice.None);
        }

        // SMTP2GO first: what arrives in the meantime is then stored, and not missing.
        return await smtp2Go.ReadAsync(from, until, cancellationToken) is { } events
            ? new BothSides(from, until, events, await stored.ReadAsync(from, until, cancellationToken))

            // Nothing of it is compared, so neither side has anything that the other may seem to lack.
            : new BothSides(from, until, null, StoredSlice.None);
    }

    private async Task<ReconciledSlice> ReconcileAsync(
        BothSides before, BothSides current, BothSides after, bool apply, CancellationToken cancellationToken)
    {
        BothSides[] all = [before, current, after];
        var match = ActivityMatch.Of(
            [.. all.SelectMany(slice => slice.Comparable)],
            [.. all.SelectMany(slice => slice.Stored.Entries)],
            isSettled: current.Until <= time.GetUtcNow() - ReconcileWindow.Settled);
        var missing = match.Missing.Where(e => current.Includes(e.Date)).ToList();
        var gone = match.Superseded.Where(row => current.Includes(row.Time)).ToList();
        var (filledIn, removed) = (0L, 0L);
        if (apply)
        {
            filledIn = await FillInAsync(missing, cancellationToken);
            foreach (var row in gone)
            {
                removed += await superseded.RemoveAsync(row, cancellationToken) ? 1 : 0;
            }
        }

        var books = SliceBooks.Of(current, missing, match.Surplus.Where(row => current.Includes(row.Time)), gone) with
        {
            FilledIn = filledIn,
            Removed = removed,
        };
        return new ReconciledSlice(current.From, current.Until, missing, books);
    }

    /// <summary>With the first slice of each day, so that there are not six more queries for each hour.</summary>
    private async Task<ReconcileBooks> SmsOfDayAsync(ReconcileWindow window, DateTimeOffset from, CancellationToken cancellationToken)
    {
        var day = new DateTimeOffset(from.UtcDateTime.Date, TimeSpan.Zero);
        if (from != window.From && from != day)
        {
            return ReconcileBooks.None;
        }

        var end = day.AddDays(1) < window.Until ? day.AddDays(1) : window.Until;
        var count = await stored.CountSmsAsync(from, end, cancellationToken);
        return count == 0
            ? ReconcileBooks.None
            : ReconcileBooks.None with { NotComparable = new Dictionary<NotComparable, long> { [NotComparable.Sms] = count } };
    }

    private async Task<long> FillInAsync(List<MissingEvent> missing, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            missing,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (e, token) => await queue.EnqueueAsync(
                FilledIn.Body(e.Event, e.Group, e.Id, e.Recipients), FilledIn.ContentType, time.GetUtcNow(), token));
        return missing.Count;
    }
}
