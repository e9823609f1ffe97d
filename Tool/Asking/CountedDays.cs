using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What <c>Smtp2GoDays</c> knows about a range of days, and what is not counted yet.</summary>
/// <param name="Rows">The rows of the days that are counted, one for each event.</param>
/// <param name="Uncounted">What is left in <c>Smtp2GoEventsByDay</c>: each run of days, or the rest of a day.</param>
internal sealed record CountedDays(IReadOnlyList<TableEntity> Rows, IReadOnlyList<UncountedDays> Uncounted)
{
    public static CountedDays None(DayRange days) => new([], [new UncountedDays(days)]);

    public static async Task<CountedDays> ReadAsync(TableServiceClient service, DayRange days, CancellationToken cancellationToken)
    {
        var (from, to) = (DayRange.ToText(days.First), DayRange.ToText(days.Last));
        var (firstMonth, lastMonth) = (DaysTable.PartitionKey(from), DaysTable.PartitionKey(to));

        // The marks first: one that a count takes away in the meantime has already made that count.
        var marks = await RowsAsync(TableClient.CreateQueryFilter(
            $"PartitionKey eq {DaysTable.Touched} and RowKey ge {from} and RowKey le {to}"));
        var counts = await RowsAsync(TableClient.CreateQueryFilter(
            $"PartitionKey ge {firstMonth} and PartitionKey le {lastMonth} and RowKey ge {from} and RowKey lt {DaysTable.After(to)}"));
        var touched = marks.ToDictionary(mark => mark.RowKey, mark => mark.Timestamp, StringComparer.Ordinal);
        var byDay = counts.ToLookup(row => DaysTable.DayOf(row.RowKey), StringComparer.Ordinal);
        List<TableEntity> rows = [];
        List<UncountedDays> uncounted = [];
        DateOnly? since = null;
        foreach (var day in days.Days)
        {
            var key = DayRange.ToText(day);
            var own = byDay[key].FirstOrDefault(row => row.RowKey == key);
            if (own is null || DaysTable.TimeIn(own, DaysTable.CountedAt) is not { } countedAt
                || touched.GetValueOrDefault(key) > countedAt - TouchedDays.Reach)
            {
                since ??= day;
                continue;
            }

            End(day);
            rows.AddRange(byDay[key].Where(row => row != own));
            if (DaysTable.TimeIn(own, DaysTable.CountedUntil) is { } until && until.UtcDateTime < day.ToDateTime(TimeOnly.MaxValue))
            {
                uncounted.Add(new UncountedDays(new DayRange(day, day), until));
            }
        }

        End(days.Last.AddDays(1));
        return new CountedDays(rows, uncounted);

        void End(DateOnly before)
        {
            if (since is { } first)
            {
                uncounted.Add(new UncountedDays(new DayRange(first, before.AddDays(-1))));
                since = null;
            }
        }

        async Task<List<TableEntity>> RowsAsync(string filter) =>
            await service.RowsAsync(DaysTable.TableName, filter, columns: null, cancellationToken).ToListAsync(cancellationToken);
    }
}

/// <summary>Days that <c>Smtp2GoDays</c> has not counted, or not to their end.</summary>
/// <param name="Since">Only from this time on; null for whole days.</param>
internal sealed record UncountedDays(DayRange Days, DateTimeOffset? Since = null)
{
    /// <summary>Their rows in <c>Smtp2GoEventsByDay</c>.</summary>
    public string Filter => EventQueries.OfDays(DayRange.ToText(Days.First), DayRange.ToText(Days.Last))
        + (Since is { } since ? TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.Time(since)}") : string.Empty);

    public override string ToString() =>
        Since is { } since ? $"{Days} from {since.UtcDateTime.ToString("HH:mm", CultureInfo.InvariantCulture)}" : Days.ToString();
}
