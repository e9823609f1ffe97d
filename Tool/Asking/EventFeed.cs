using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The newest events, older ones page by page, and those that are stored while somebody is looking.</summary>
/// <remarks>Each method allows one caller at a time.</remarks>
internal sealed class EventFeed(TableServiceClient service, EventFilter filter, TimeProvider time)
{
    public const int PageSize = 50;

    // About half a screen.
    private const int Ahead = 20;

    /// <summary>The most that it keeps in memory: about 2 MB.</summary>
    public const int MaxShown = 2_000;

    /// <summary>If more come at once, only the newest are shown: nobody can read so many.</summary>
    public const int MostAtOnce = 200;

    // How late a webhook may come, as with the tool's tail.
    private const int DaysLate = 3;

    // A backlog in the queue may be worked off while somebody looks. Older rows were only written again, as "reindex" does.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    private readonly NewestFirst older = new(service, EventSource.Of(filter), time);
    private readonly NewEvents newer = new(service, TimeSpan.FromDays(DaysLate), MaxAge);
    private readonly HashSet<StoredEventKey> known = [];
    private List<StoredEvent> arrived = [];
    private bool isStarted;

    /// <summary>Newest first. Those that came while somebody was looking come before the others, even if they happened earlier.</summary>
    public List<StoredEvent> Shown { get; } = [];

    /// <summary>How many have arrived but are not shown yet.</summary>
    public int Arrived => arrived.Count;

    /// <summary>How many arrived but will not be shown, because too many came at once.</summary>
    public long LeftOut { get; private set; }

    public bool IsAtEnd => older.IsAtEnd;

    /// <summary>At the end: whether there are events without a time, which are in no order and so not shown.</summary>
    public bool HasTimeless { get; private set; }

    public bool IsFull => Shown.Count >= MaxShown;

    /// <summary>The last call read all it may without filling a page.</summary>
    public bool HasStopped { get; private set; }

    /// <summary>More events than it reads are dated far in the future.</summary>
    public bool HasMoreInFuture => older.HasMoreInFuture;

    public DateTimeOffset LookedBackTo => older.LookedBackTo;

    /// <summary>Whether new events can match. Days that are long over rarely get any.</summary>
    public bool IsLive =>
        filter.Days is null || filter.Days.Last.AddDays(DaysLate) >= DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    /// <summary>Whether a shown event is among the last: whoever sees it will soon want more.</summary>
    public bool IsNearEnd(StoredEvent e) => Shown.LastIndexOf(e, Shown.Count - 1, Math.Min(Ahead, Shown.Count)) >= 0;

    /// <summary>Shows the next page of older events.</summary>
    public async Task ReadMoreAsync(CancellationToken cancellationToken)
    {
        if (IsFull || IsAtEnd)
        {
            return;
        }

        if (!isStarted)
        {
            // Before the first page is read: what is stored in the meantime is new.
            await newer.StartAsync(cancellationToken);
            isStarted = true;
        }

        var page = await older.NextAsync(Math.Min(PageSize, MaxShown - Shown.Count), cancellationToken);
        HasStopped = page.Count < PageSize && !IsAtEnd;
        Shown.AddRange(page.Where(e => known.Add(e.Key)));
        if (IsAtEnd && filter.Days is null)
        {
            HasTimeless = await service.AnyAsync(EventIndex.ByDayTable, EventQueries.OfNoTime(filter.Kind), cancellationToken);
        }
    }

    /// <summary>Collects what was stored since the last call, to be shown later.</summary>
    public async Task PollAsync(CancellationToken cancellationToken)
    {
        PriorityQueue<StoredEvent, DateTimeOffset> found = new();
        try
        {
            await foreach (var row in newer.NextAsync(cancellationToken))
            {
                var e = StoredEvent.Of(row);
                if (e.Time is { } at && filter.Matches(row, e) && known.Add(e.Key))
                {
                    found.Enqueue(e, at);
                    LeaveOut(found.Count > MostAtOnce ? [found.Dequeue()] : []);
                }
            }
        }
        finally
        {
            // If it fails halfway, the next call does not return these again.
            List<StoredEvent> all = [.. found.UnorderedItems.Select(it => it.Element).OrderByDescending(e => e.Time), .. arrived];
            LeaveOut(all.Skip(MaxShown));
            arrived = [.. all.Take(MaxShown)];
        }
    }

    /// <summary>Moves what has arrived to the top of the list.</summary>
    public void ShowArrived()
    {
        Shown.InsertRange(0, arrived);
        arrived.Clear();
        if (Shown.Count > MaxShown)
        {
            known.ExceptWith(Shown.Skip(MaxShown).Select(e => e.Key));
            Shown.RemoveRange(MaxShown, Shown.Count - MaxShown);
        }
    }

    private void LeaveOut(IEnumerable<StoredEvent> events)
    {
        foreach (var e in events)
        {
            known.Remove(e.Key);
            LeftOut++;
        }
    }
}
