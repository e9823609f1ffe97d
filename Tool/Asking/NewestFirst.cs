using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Reads events backwards in time, a page at a time; each is found once.</summary>
/// <remarks>
/// Table Storage reads only forwards. So this reads one window of time after another, walking back: a wide one where little happened, a
/// narrow one where much did. A window that has more than a page of rows is asked for again, narrower: what was read so far is in the
/// order of its kinds, and the newest may be missing.
/// </remarks>
internal sealed class NewestFirst(TableServiceClient service, EventSource source, TimeProvider time)
{
    /// <summary>A call that does not find enough stops after so many rows.</summary>
    public const int MaxRows = 5_000;

    /// <summary>As many as fit into one answer. It reads no more that are dated far in the future.</summary>
    public const int MaxRowsOfWindow = 1_000;

    // To find where the many rows of a window begin.
    private const int MaxRowsInCrowd = 250;

    // A window with a few pages for people. If most rows will be thrown away, larger ones take fewer requests.
    private const int UsualRows = 200;
    private const int UsualRowsIfFiltered = 500;

    // Each may be one of many days.
    private const int MaxRequests = 64;

    // Clocks differ, but not by more than that.
    private static readonly TimeSpan NearFuture = TimeSpan.FromHours(1);
    // An account with a thousand events an hour has some eighty in it.
    private const double MaxGrowth = 8;
    private static readonly TimeSpan FirstWidth = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Narrowest = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan Ever = DateTimeOffset.MaxValue - DateTimeOffset.MinValue;

    // Where hardly any row matches, each request may take seconds.
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(8);

    private readonly TableClient table = service.GetTableClient(source.Table);
    private readonly Queue<StoredEvent> found = new();
    private readonly DateTimeOffset now = time.GetUtcNow();
    private TimeSpan width = FirstWidth;
    private DateTimeOffset from = source.Span.From;
    private bool isFirstKnown;
    private bool isFutureCrowded;

    // What has not been read since then is more than fits into one window.
    private DateTimeOffset? crowdedFrom;
    private EventWindow? window;
    private DateTimeOffset readBackTo = source.Span.Until;

    /// <summary>All that is later was returned.</summary>
    public DateTimeOffset LookedBackTo => found.TryPeek(out var next) && next.Time is { } at ? at : readBackTo;

    /// <summary>There is nothing more to find.</summary>
    public bool IsAtEnd => found.Count == 0 && window is null && readBackTo <= from;

    /// <summary>More events are dated far in the future than it reads.</summary>
    public bool HasMoreInFuture { get; private set; }

    /// <summary>Over all calls.</summary>
    public int Requests { get; private set; }

    /// <summary>Rows that storage returned to all calls, whether they matched or not.</summary>
    public int RowsRead { get; private set; }

    /// <summary>The next events. Fewer than asked for if there are no more, or if the call reached its limit.</summary>
    public async Task<IReadOnlyList<StoredEvent>> NextAsync(int count, CancellationToken cancellationToken)
    {
        var (rows, requests, started) = (RowsRead + MaxRows, Requests + MaxRequests, time.GetTimestamp());
        while (found.Count < count && (window is not null || readBackTo > from)
            && RowsRead < rows && Requests < requests && time.GetElapsedTime(started) < MaxTime)
        {
            window ??= NextWindow();
            var asked = window.Parts.Where(part => !part.IsRead).ToList();
            Requests += asked.Count;
            RowsRead += (await Task.WhenAll(asked.Select(part => ReadPageAsync(part, window.MaxRows, cancellationToken)))).Sum();
            if (window.IsRead)
            {
                await EndAsync(window, cancellationToken);
            }
            else if (window.IsFull)
            {
                Narrow(window);
            }
        }

        List<StoredEvent> next = [];
        while (next.Count < count && found.TryDequeue(out var e))
        {
            next.Add(e);
        }

        return next;
    }

    private DateTimeOffset FarFuture => source.Widest is null ? now + NearFuture : new(now.UtcDateTime.Date.AddDays(1), TimeSpan.Zero);

    // The first window includes the future, which is usually empty.
    private EventWindow NextWindow()
    {
        var end = readBackTo > now && !isFutureCrowded ? now : readBackTo;
        return WindowOf(
            source.Widest is not null && readBackTo > FarFuture && from < FarFuture ? FarFuture
            : end - from > width ? Whole(end - width)
            : from);
    }

    private EventWindow WindowOf(DateTimeOffset start)
    {
        var span = new TimeWindow(start > from ? start : from, readBackTo);
        var most = crowdedFrom is null || span.Until > FarFuture ? MaxRowsOfWindow : MaxRowsInCrowd;
        return new EventWindow(span, most, [.. source.Queries(span).Select(filter => new EventWindow.Part(filter))]);
    }

    // SMTP2GO's times are whole seconds, so all that happened in one are in one window, and in order.
    private DateTimeOffset Whole(DateTimeOffset start) =>
        width < TimeSpan.FromSeconds(1) ? start : start.AddTicks(-(start.Ticks % TimeSpan.TicksPerSecond));

    private async Task<int> ReadPageAsync(EventWindow.Part part, int most, CancellationToken cancellationToken)
    {
        var pages = table.QueryIfExistsAsync(part.Filter, StoredEvent.Columns, most, part.Next, cancellationToken);
        await foreach (var page in pages)
        {
            part.Rows.AddRange(page.Values);
            part.Next = page.ContinuationToken;
            part.IsRead = part.Next is null;
            return page.Values.Count;
        }

        part.IsRead = true;
        return 0;
    }

    private async Task EndAsync(EventWindow read, CancellationToken cancellationToken)
    {
        var rows = Take(read);
        (window, readBackTo) = (null, read.Span.From);
        if (readBackTo >= now && !isFutureCrowded)
        {
            return;
        }

        var usual = source.Matches is null ? UsualRows : UsualRowsIfFiltered;
        var growth = rows == 0 ? MaxGrowth : Math.Clamp(usual / (double)rows, 1 / MaxGrowth, MaxGrowth);
        var next = Math.Clamp(width.Ticks * growth, Narrowest.Ticks, (source.Widest ?? Ever).Ticks);
        width = TimeSpan.FromTicks((long)next);
        if (rows > 0 || readBackTo <= crowdedFrom)
        {
            crowdedFrom = null;
        }
        else if (readBackTo - crowdedFrom is { } crowd)
        {
            width = crowd / 2 < Narrowest ? Narrowest : crowd / 2;
        }

        if (rows == 0 && width == source.Widest && !isFirstKnown)
        {
            Requests++;
            var first = await service.FirstDayAsync(source.Table, cancellationToken);
            (from, isFirstKnown) = (first > from ? first : from, true);
        }
    }

    private void Narrow(EventWindow full)
    {
        crowdedFrom = full.Span.From;
        var end = full.Span.Until;
        if (end > now && full.Span.From < now)
        {
            // The last minutes are busy, and the future is usually empty.
            width /= MaxGrowth;
            window = WindowOf(now);
            return;
        }

        isFutureCrowded |= full.Span.From >= now;
        if (end > FarFuture && from < FarFuture)
        {
            if (full.Span.From < FarFuture)
            {
                window = WindowOf(FarFuture);
                return;
            }

            // Events dated far in the future must not hide those that have happened.
            Take(full);
            (window, crowdedFrom, readBackTo, HasMoreInFuture) = (null, null, full.Span.From, true);
            return;
        }

        var length = end - full.Span.From;
        if (length <= Narrowest)
        {
            Take(full); // All happened at the same time: one order is as good as another.
            return;
        }

        width = length / MaxGrowth < Narrowest ? Narrowest : length / MaxGrowth;
        window = WindowOf(Whole(end - width) is var start && start > full.Span.From ? start : end - width);
    }

    /// <returns>How many rows it had.</returns>
    private int Take(EventWindow read)
    {
        var rows = read.TakeRows();
        foreach (var e in EventOrder.NewestFirst(rows))
        {
            if (source.Matches?.Invoke(e) != false)
            {
                found.Enqueue(e);
            }
        }

        return rows.Count;
    }
}
