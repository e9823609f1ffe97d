using Azure.Data.Tables;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Counts events that are not in <c>Smtp2GoDays</c> yet, row by row.</summary>
/// <param name="most">It stops after that many.</param>
internal sealed class LiveCount(TableServiceClient service, int most, IProgress<long>? progress)
{
    private readonly Dictionary<string, DayCount> counts = new(StringComparer.Ordinal);
    private long read;

    /// <summary>By partition of <c>Smtp2GoEventsByDay</c>.</summary>
    public IReadOnlyDictionary<string, DayCount> Counts => counts;

    /// <returns>What it did not count: nothing, unless there are too many.</returns>
    public async Task<IReadOnlyList<UncountedDays>> CountAllAsync(IReadOnlyList<UncountedDays> all, CancellationToken cancellationToken)
    {
        List<UncountedDays> missing = [];
        foreach (var days in all)
        {
            if (!await TryCountAsync(days, cancellationToken))
            {
                missing.Add(days);
            }
        }

        return missing;
    }

    /// <summary>Begins with the newest days, one at a time.</summary>
    /// <returns>What it did not count, the oldest first.</returns>
    public async Task<IReadOnlyList<UncountedDays>> CountNewestAsync(IReadOnlyList<UncountedDays> all, CancellationToken cancellationToken)
    {
        List<UncountedDays> missing = [];
        foreach (var run in all.Reverse())
        {
            var last = run.Days.Last;
            for (var length = 1; last >= run.Days.First && missing.Count == 0;)
            {
                var first = run.Days.First.DayNumber > last.DayNumber - length ? run.Days.First : last.AddDays(1 - length);
                var before = read;
                if (!await TryCountAsync(run with { Days = new DayRange(first, last) }, cancellationToken))
                {
                    break;
                }

                // A new account has no events for months: twice as many days with each request until there are some.
                length = read == before ? length * 2 : 1;
                last = first.AddDays(-1);
            }

            if (last >= run.Days.First)
            {
                missing.Insert(0, run with { Days = new DayRange(run.Days.First, last) });
            }
        }

        return missing;
    }

    private async Task<bool> TryCountAsync(UncountedDays days, CancellationToken cancellationToken)
    {
        Dictionary<string, DayCount> found = new(StringComparer.Ordinal);
        await foreach (var row in service.RowsAsync(EventIndex.ByDayTable, days.Filter, DayCount.Columns, cancellationToken))
        {
            if (read >= most)
            {
                return false;
            }

            if (!found.TryGetValue(row.PartitionKey, out var count))
            {
                found.Add(row.PartitionKey, count = new DayCount());
            }

            count.Add(row);
            read++;
            progress?.Report(read);
        }

        foreach (var (key, count) in found)
        {
            counts.Add(key, count);
        }

        return true;
    }
}
