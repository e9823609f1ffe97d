using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>The stored side, from <c>Smtp2GoEventsByDay</c>: only the partitions of kinds that SMTP2GO's activity has.</summary>
internal sealed class StoredActivity(TableServiceClient service)
{
    private const int MaxParallel = 8;

    private static readonly string[] Names = [.. EventKind.All.Select(kind => kind.Event).Distinct(StringComparer.Ordinal)];

    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <summary>The events of a span of time within one day (UTC).</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<StoredSlice> ReadAsync(DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        List<StoredEntry> entries = [];
        Dictionary<NotComparable, long> left = [];
        await Parallel.ForEachAsync(
            Names,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (name, token) =>
            {
                await foreach (var page in byDay.QueryIfExistsAsync(FilterOf(name, from, until), StoredEntry.Columns, token))
                {
                    lock (entries)
                    {
                        foreach (var row in page.Values)
                        {
                            Add(row);
                        }
                    }
                }
            });
        return new StoredSlice(entries, left);

        void Add(TableEntity row)
        {
            if (StoredEntry.TryRead(row, out var reason) is { } entry)
            {
                entries.Add(entry);
            }
            else
            {
                left[reason] = left.GetValueOrDefault(reason) + 1;
            }
        }
    }

    /// <summary>Counts the events of SMS in a span of time within one day (UTC).</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> CountSmsAsync(DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var count = 0L;
        foreach (var name in EventName.OfSms)
        {
            count += await byDay.RowsIfExistAsync(FilterOf(name, from, until), ["RowKey"], cancellationToken)
                .LongCountAsync(cancellationToken);
        }

        return count;
    }

    /// <summary>Counts the events of a day without those of SMTP2GO's test button.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<IReadOnlyDictionary<EventKind, long>> CountDayAsync(string day, CancellationToken cancellationToken)
    {
        Dictionary<EventKind, long> counts = [];
        foreach (var name in Names)
        {
            var filter = TableClient.CreateQueryFilter($"PartitionKey eq {PartitionOf(day, name)}");
            await foreach (var row in byDay.RowsIfExistAsync(filter, ["RowKey", "bounce", ColumnNames.IsTest], cancellationToken))
            {
                var isTest = row.TryGetValue(ColumnNames.IsTest, out var test) && test is true;
                if (!isTest && EventKind.OfRow(name, row.TryGetValue("bounce", out var bounce) ? bounce as string : null) is { } kind)
                {
                    counts[kind] = counts.GetValueOrDefault(kind) + 1;
                }
            }
        }

        return counts;
    }

    /// <summary>The first day with an event, besides those of SMTP2GO's test button; null if there is none.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<string?> FirstDayAsync(CancellationToken cancellationToken) => await byDay.RowsIfExistAsync(
            TableClient.CreateQueryFilter($"PartitionKey lt {EventKeys.NoTime} and IsTest eq {false}"), ["PartitionKey"], cancellationToken)
        .Select(row => DaysTable.DayOf(row.PartitionKey))
        .FirstOrDefaultAsync(day => day is not null, cancellationToken);

    private static string FilterOf(string name, DateTimeOffset from, DateTimeOffset until) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {PartitionOf(EventKeys.Day(from), name)} and RowKey ge {EventKeys.Time(from)}")
        + TableClient.CreateQueryFilter($" and RowKey lt {EventKeys.Time(until)}");

    private static string PartitionOf(string day, string name) => DaysTable.From(day) + name;
}

/// <summary>What is stored of a span of time.</summary>
/// <param name="NotComparable">Left out, by the reason.</param>
internal sealed record StoredSlice(IReadOnlyList<StoredEntry> Entries, IReadOnlyDictionary<NotComparable, long> NotComparable)
{
    public static readonly StoredSlice None = new([], new Dictionary<NotComparable, long>());
}
