using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Counts one day: reads all its events and replaces its rows in <c>Smtp2GoDays</c> together.</summary>
internal sealed class DayCounter(TableServiceClient service, StorageClock clock, TimeProvider time)
{
    /// <summary>How far back a day without events has a row, so that it is known to be counted.</summary>
    public const int DaysKept = 35;

    // What happened this short a time ago may still be on its way.
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(5);

    // Two counts of one day at once are rare, and each ends within minutes.
    private const int MaxTries = 5;

    // With its own row a day must fit into one transaction. So must what SMTP2GO documents, whatever else it sends.
    private const int MaxUnknownEvents = 40;

    private readonly TableClient days = service.GetTableClient(DaysTable.TableName);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <returns>When the count began, by storage's clock, and how many events there are.</returns>
    /// <exception cref="RequestFailedException">Storage failed, or other counts of this day were faster again and again.</exception>
    public async Task<(DateTimeOffset Began, long Events)> CountAsync(string day, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var began = await clock.PassedAsync(cancellationToken);
                return (began, await CountAsync(day, began, cancellationToken));
            }
            catch (RequestFailedException e) when (tries < MaxTries && e.IsOvertaken())
            {
                // Another count has written since this one began, and may have seen more.
            }
        }
    }

    private async Task<long> CountAsync(string day, DateTimeOffset began, CancellationToken cancellationToken)
    {
        // Read before the events are: if another count writes from here on, this one fails.
        var before = await ReadDayAsync(day, cancellationToken);
        var until = UntilOf(day);
        var counts = await ReadEventsAsync(day, until, cancellationToken);
        var own = before.Find(row => row.RowKey == day);

        // Of an old day without events, for example after a purge, nothing stays.
        var isGone = counts.Count == 0 && string.CompareOrdinal(day, EventKeys.Day(time.GetUtcNow().AddDays(-DaysKept))) < 0;
        var row = new TableEntity(DaysTable.PartitionKey(day), day) { [DaysTable.CountedAt] = began, [DaysTable.CountedUntil] = until };
        List<TableTransactionAction> actions =
        [
            .. (TableTransactionAction[])((isGone, own) switch
            {
                (true, null) => [],
                (true, _) => [new(TableTransactionActionType.Delete, own, own.ETag)],
                (false, null) => [new(TableTransactionActionType.Add, row)],
                _ => [new(TableTransactionActionType.UpdateReplace, row, own.ETag)],
            }),
            .. counts.Select(count => new TableTransactionAction(TableTransactionActionType.UpsertReplace, count.Value.ToRow(count.Key))),
            .. before.Where(old => old != own && !counts.ContainsKey(old.RowKey))
                .Select(old => new TableTransactionAction(TableTransactionActionType.Delete, old, ETag.All)),
        ];
        await (actions.Count == 0 ? Task.CompletedTask
            : days.CreatingIfMissing(t => t.SubmitTransactionAsync(actions, cancellationToken), cancellationToken));
        return counts.Values.Sum(count => count.Count + count.Tests);
    }

    private async Task<Dictionary<string, DayCount>> ReadEventsAsync(string day, DateTimeOffset until, CancellationToken cancellationToken)
    {
        Dictionary<string, DayCount> counts = new(StringComparer.Ordinal);
        var filter = TableClient.CreateQueryFilter(
            $"PartitionKey ge {DaysTable.From(day)} and PartitionKey lt {DaysTable.After(day)} and RowKey lt {EventKeys.Time(until)}");
        await foreach (var page in byDay.QueryIfExistsAsync(filter, DayCount.Columns, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                var isOwn = counts.ContainsKey(row.PartitionKey) || EventName.IsKnown(row.PartitionKey[DaysTable.From(day).Length..])
                    || counts.Keys.Count(key => !EventName.IsKnown(key[DaysTable.From(day).Length..])) < MaxUnknownEvents;
                var key = isOwn ? row.PartitionKey : $"{day}_other";
                if (!counts.TryGetValue(key, out var count))
                {
                    counts.Add(key, count = new DayCount());
                }

                count.Add(row);
            }
        }

        DayCount.KeepLargest(counts.Values);
        return counts;
    }

    /// <summary>A day that is over is counted whole, today up to the last full hour, and of a day to come nothing yet.</summary>
    private DateTimeOffset UntilOf(string day)
    {
        var now = time.GetUtcNow();
        var begin = DateTimeOffset.Parse(day, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var settled = (now - Settling).UtcDateTime;
        var hour = new DateTimeOffset(settled.Date.AddHours(settled.Hour), TimeSpan.Zero);
        return begin.AddDays(1) <= now ? begin.AddDays(1) : hour > begin ? hour : begin;
    }

    private async Task<List<TableEntity>> ReadDayAsync(string day, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter(
            $"PartitionKey eq {DaysTable.PartitionKey(day)} and RowKey ge {day} and RowKey lt {DaysTable.After(day)}");
        return await days.RowsIfExistAsync(filter, null, cancellationToken).ToListAsync(cancellationToken);
    }
}
