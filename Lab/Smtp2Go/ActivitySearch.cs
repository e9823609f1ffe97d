using System.Collections.Concurrent;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Searches an account's events, a page at a time.</summary>
internal sealed class ActivitySearch(Smtp2GoAccount account, ApiBehaviour behaviour, TimeProvider time)
{
    private readonly ContinueTokens tokens = new(time);
    private readonly ConcurrentDictionary<int, Search> open = new();
    private int last;

    public ActivityPage Find(SearchRequest request)
    {
        if (request.Token is null)
        {
            return Page(new Search(Interlocked.Increment(ref last), request), 0);
        }

        var (number, offset) = tokens.Read(request.Token);
        var search = open.TryGetValue(number, out var found) && found.Request.Fingerprint == request.Fingerprint
            ? found
            : throw ApiError.Invalid("continue_token", "The token belongs to another request.");
        return Page(search, offset);
    }

    private ActivityPage Page(Search search, int offset)
    {
        lock (search)
        {
            // The first request's dates: an end that was left out does not move.
            search.Rows = search.Rows is null || behaviour.ShiftPages ? Sorted(search) : search.Rows;
            if (behaviour.ReorderPages && offset > 0 && offset < search.Rows.Length && search.Reordered.Add(offset))
            {
                // The last one of the page before changes places with the first one of this page.
                (search.Rows[offset - 1], search.Rows[offset]) = (search.Rows[offset], search.Rows[offset - 1]);
            }

            var end = Math.Min(search.Rows.Length, offset + search.Request.Limit);
            ActivityRow[] rows = offset < end ? search.Rows[offset..end] : [];
            var page = new ActivityPage(
                rows, search.Rows.Length, end < search.Rows.Length ? tokens.New(search.Number, end) : null);
            if (page.Token is not null)
            {
                KeepOpen(search);
                account.MoveTo(account.Now + behaviour.TimePerPage);
            }

            return page;
        }
    }

    private ActivityRow[] Sorted(Search search)
    {
        var now = account.Now;
        List<ActivityRow> found = [];
        var end = search.Request.Until - behaviour.DateSkew + (behaviour.EndIsInclusive ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);
        foreach (var it in account.Between(search.Request.From - behaviour.DateSkew, end).Span)
        {
            if (it.SearchableFrom <= now && it.Date <= now)
            {
                found.AddRange(ActivityRow.Of(it, behaviour.ProcessedPerRecipient)
                    .Where(row => search.Request.Matches(row.Event, row.Recipient)));
            }
        }

        return [.. found.OrderBy(row => row.Place(search.Number))];
    }

    private void KeepOpen(Search search)
    {
        search.Expires = time.GetUtcNow() + ContinueTokens.Life;
        open[search.Number] = search;
        foreach (var old in open.Values.Where(it => it.Expires < time.GetUtcNow()))
        {
            open.TryRemove(old.Number, out _);
        }
    }

    private sealed class Search(int number, SearchRequest request)
    {
        public int Number => number;

        public SearchRequest Request => request;

        public ActivityRow[]? Rows { get; set; }

        /// <summary>The offsets at which two rows have changed places: a page that is asked for again is the same.</summary>
        public HashSet<int> Reordered { get; } = [];

        public DateTimeOffset Expires { get; set; }
    }
}
