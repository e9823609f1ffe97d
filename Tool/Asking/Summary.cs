using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Events counted by day; a day without events is left out.</summary>
/// <param name="Missing">Days that are not counted yet and have too many events to count them now, or what is left of a day.</param>
internal sealed record Summary(SortedDictionary<string, Tally> ByDay, Tally Total, IReadOnlyList<UncountedDays> Missing)
{
    /// <summary>Adds up the counts in <c>Smtp2GoDays</c>, and counts the events that are not counted there yet.</summary>
    /// <param name="isLive">Counts all of them.</param>
    /// <param name="most">
    /// Counts no more events than about that many, the newest days first. A day that does not fit is left out, so that no count is
    /// partial, and so are the days before it.
    /// </param>
    public static async Task<Summary> ReadAsync(
        TableServiceClient service,
        DayRange days,
        bool isLive,
        IProgress<long>? progress,
        CancellationToken cancellationToken,
        int? most = null)
    {
        var counted = isLive ? CountedDays.None(days) : await CountedDays.ReadAsync(service, days, cancellationToken);
        var live = new LiveCount(service, most ?? int.MaxValue, progress);
        var missing = most is null
            ? await live.CountAllAsync(counted.Uncounted, cancellationToken)
            : await live.CountNewestAsync(counted.Uncounted, cancellationToken);
        var summary = new Summary(new(StringComparer.Ordinal), new Tally(), missing);
        foreach (var row in counted.Rows)
        {
            summary.CountOf(row.RowKey).Add(Read(row));
        }

        foreach (var (key, count) in live.Counts)
        {
            summary.CountOf(key).Add(count);
        }

        foreach (var tally in summary.ByDay.Values)
        {
            summary.Total.Add(tally);
        }

        return summary;
    }

    /// <summary>The counts of one day; zeros if it has no events.</summary>
    public Tally Of(DateOnly day) => ByDay.GetValueOrDefault(DayRange.ToText(day)) ?? new Tally();

    private static DayCount Read(TableEntity row)
    {
        try
        {
            return DayCount.Of(row);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException(
                $"The row {row.RowKey} of Smtp2GoDays cannot be read. Add --live, or run reindex, which counts all days again.", e);
        }
    }

    // <day>_<event>, with =XX for a byte that no key may hold.
    private DayCount CountOf(string key)
    {
        var (day, name) = (DaysTable.DayOf(key)!, key[(key.IndexOf('_', StringComparison.Ordinal) + 1)..]);
        if (!ByDay.TryGetValue(day, out var tally))
        {
            ByDay.Add(day, tally = new Tally());
        }

        return tally[name.Contains('=', StringComparison.Ordinal) ? Uri.UnescapeDataString(name.Replace('=', '%')) : name];
    }
}
