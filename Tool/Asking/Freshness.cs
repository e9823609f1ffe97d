using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>How fresh the events and their counts are.</summary>
/// <param name="Day">Today in UTC.</param>
/// <param name="Today">Its events.</param>
/// <param name="CountedAt">When days were counted last; null if that was before yesterday, or never.</param>
/// <param name="LastEvent">When the last event happened; null if there is none.</param>
/// <param name="Lag">How long after it arrived that event was stored, or stored again by a later <c>reparse</c>.</param>
internal sealed record Freshness(DateOnly Day, Summary Today, DateTimeOffset? CountedAt, DateTimeOffset? LastEvent, TimeSpan? Lag)
{
    // CountDays runs every hour. One run may fail.
    private static readonly TimeSpan MaxCountAge = TimeSpan.FromMinutes(130);

    /// <param name="most">If there are more events that are not counted yet, today is left out.</param>
    public static async Task<Freshness> ReadAsync(
        TableServiceClient tables, TimeProvider time, int most, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);

        // What is dated further in the future says nothing about now.
        var newest = new NewestFirst(tables, EventSource.Of(new EventFilter()).Before(now.AddHours(1)), time);
        var last = await newest.NextAsync(1, cancellationToken) is [var e] ? e : null;
        return new Freshness(
            today,
            await Summary.ReadAsync(tables, new DayRange(today, today), isLive: false, progress: null, cancellationToken, most),
            await LastCountAsync(tables, today, cancellationToken),
            last?.Time,
            last is null ? null : await LagAsync(tables, last.Key, cancellationToken));
    }

    /// <summary>Counts are as fresh as they should be.</summary>
    public bool IsCounted(DateTimeOffset now) => now - CountedAt < MaxCountAge;

    private static async Task<TimeSpan?> LagAsync(TableServiceClient tables, StoredEventKey key, CancellationToken cancellationToken)
    {
        var row = await tables.GetTableClient(EventStore.TableName).GetEntityIfExistsAsync<TableEntity>(
            key.PartitionKey, key.RowKey, [ColumnNames.ReceivedAt, "Timestamp"], cancellationToken);
        return row is { HasValue: true, Value: { } e }
            && e.TryGetValue(ColumnNames.ReceivedAt, out var value) && value is DateTimeOffset received
            && e.Timestamp - received is { } lag && lag > TimeSpan.Zero
                ? lag
                : null;
    }

    // Shortly after midnight, today has not been counted yet.
    private static async Task<DateTimeOffset?> LastCountAsync(
        TableServiceClient tables, DateOnly today, CancellationToken cancellationToken)
    {
        foreach (var day in (DateOnly[])[today, today.AddDays(-1)])
        {
            var text = DayRange.ToText(day);
            var filter = TableClient.CreateQueryFilter($"PartitionKey eq {DaysTable.PartitionKey(text)} and RowKey eq {text}");
            var row = await tables
                .RowsAsync(DaysTable.TableName, filter, columns: null, cancellationToken)
                .FirstOrDefaultAsync(cancellationToken);
            if (row is not null && DaysTable.TimeIn(row, DaysTable.CountedAt) is { } at)
            {
                return at;
            }
        }

        return null;
    }
}
