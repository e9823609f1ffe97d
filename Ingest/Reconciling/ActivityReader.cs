using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Smtp2GoIngest.Reconciling;

/// <summary>Reads all events of a span of time from SMTP2GO, and makes sure that it is all of them.</summary>
/// <remarks>
/// Events have no id and no documented order, and a page is asked for by a token that is about an offset. If something moves between two
/// pages, an event may come twice and another one not at all. So a read counts only if every page has the same total, as many events
/// came, and no event is on two pages. If one is, it may also be two events that are alike: then two reads must be the same. What does
/// not become so is read in halves, down to what fits on one page.
/// </remarks>
internal sealed class ActivityReader(Smtp2GoClient smtp2Go)
{
    /// <summary>At one page a second, they are read within half a minute: a token of the sister call lived for five.</summary>
    public const int MaxEvents = 30_000;

    private const int MaxReads = 3;

    // An answer with a token that leads nowhere must end, too.
    private const int MaxPages = 1_000;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <returns>Null if SMTP2GO does not even list those of one second in the same way twice.</returns>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    public async Task<IReadOnlyList<ActivityEvent>?> ReadAsync(
        DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var events = await ReadUpToAsync(MaxEvents, from, until, cancellationToken);
        return events is not null || until - from < Shortest * 2 ? events : await ReadHalvesAsync(from, until, cancellationToken);
    }

    /// <summary>The same in one piece, unless there are more than so many.</summary>
    /// <returns>Null if there are too many, or if SMTP2GO does not list them in the same way twice.</returns>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    public async Task<IReadOnlyList<ActivityEvent>?> ReadUpToAsync(
        int most, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        ulong? before = null;
        for (var reads = 0; reads < MaxReads; reads++)
        {
            var (events, isTooMany, isDoubtful) = await TryReadAsync(most, from, until, cancellationToken);
            if (isTooMany)
            {
                return null;
            }

            if (events is null)
            {
                continue;
            }

            var fingerprint = FingerprintOf(events);
            if (!isDoubtful || fingerprint == before)
            {
                // Whatever the end means to SMTP2GO, no event is in two spans.
                return events.FindAll(e => e.Date is not { } date || (date >= from && date < until));
            }

            before = fingerprint;
        }

        return null;
    }

    private async Task<IReadOnlyList<ActivityEvent>?> ReadHalvesAsync(
        DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        // SMTP2GO knows whole seconds.
        var middle = from.AddSeconds(Math.Floor((until - from).TotalSeconds / 2));
        return await ReadAsync(from, middle, cancellationToken) is { } first
            && await ReadAsync(middle, until, cancellationToken) is { } second
                ? [.. first, .. second]
                : null;
    }

    /// <returns>No events if something moved.</returns>
    private async Task<(List<ActivityEvent>? Events, bool IsTooMany, bool IsDoubtful)> TryReadAsync(
        int most, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var search = new ActivitySearch(from, until);
        List<ActivityEvent> events = [];
        HashSet<ulong> onEarlierPages = [];
        var (isDoubtful, pages) = (false, 0);
        long? total = null;
        string? token = null;
        do
        {
            ActivityPage page;
            try
            {
                page = await smtp2Go.SearchActivityAsync(search, token, cancellationToken);
            }
            catch (Smtp2GoException e) when (token is not null && e is { Status: 400, ErrorCode: not "ENDPOINT_PERMISSION_DENIED" })
            {
                // The token has expired, after a long wait for example.
                return default;
            }

            total ??= page.Total;
            if (total > most && until - from >= Shortest * 2)
            {
                return (null, true, false);
            }

            if (page.Total != total)
            {
                return default;
            }

            isDoubtful |= page.Events.Any(e => onEarlierPages.Contains(e.Fingerprint));
            onEarlierPages.UnionWith(page.Events.Select(e => e.Fingerprint));
            events.AddRange(page.Events);
            token = page.Events.Count > 0 ? page.ContinueToken : null;
        }
        while (token is not null && events.Count < total && ++pages < MaxPages);

        return events.Count == total ? (events, false, isDoubtful) : default;
    }

    private static ulong FingerprintOf(IEnumerable<ActivityEvent> events) =>
        XxHash3.HashToUInt64(MemoryMarshal.AsBytes<ulong>(events.Select(e => e.Fingerprint).Order().ToArray()));
}
