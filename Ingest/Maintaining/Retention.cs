using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Deletes events past their retention, found through the day index, and their bodies.</summary>
public sealed partial class Retention(
    TableServiceClient service,
    EventStore events,
    Recipients recipients,
    BlobSweep sweep,
    DayCounting counting,
    IOptions<EventsOptions> options,
    TimeProvider time,
    ILogger<Retention> logger)
{
    /// <summary>When it runs: every day at half past three, UTC.</summary>
    public const string Schedule = "0 30 3 * * *";

    private const int MaxParallel = 16;

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <summary>Deletes what is too old by the settings, then sweeps blobs. The next run of CountDays counts what is left.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task PurgeExpiredAsync(CancellationToken cancellationToken)
    {
        var purged = options.Value.FirstDayKept(time.GetUtcNow()) is not { } first ? 0
            : await PurgeAsync(
                new DateTimeOffset(first, TimeOnly.MinValue, TimeSpan.Zero),
                await sweep.LookAsync(cancellationToken),
                null,
                cancellationToken);
        var swept = await sweep.SweepAsync(cancellationToken);
        Log.Purged(logger, purged, swept);
    }

    /// <summary>Deletes the events of all whole days before a time from all three tables, and their blobs.</summary>
    /// <param name="before">The time. An event without one, or with one in the future, counts from when it was received.</param>
    /// <returns>How many events were deleted; in a dry run, how many would be.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> PurgeAsync(
        DateTimeOffset before, bool dryRun, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var count = await PurgeAsync(before, dryRun ? null : await sweep.LookAsync(cancellationToken), progress, cancellationToken);
        if (!dryRun)
        {
            // Even if nothing was found: an earlier run may have been cut short here.
            await recipients.RefreshAsync(cancellationToken);
            await counting.CountTouchedAsync(cancellationToken);
        }

        return count;
    }

    /// <param name="use">With null, it only counts.</param>
    internal async Task<long> PurgeAsync(
        DateTimeOffset before, BlobUse? use, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var day = before.UtcDateTime.Date;
        var today = EventKeys.Day(time.GetUtcNow().AddDays(1));
        string[] filters =
        [
            TableClient.CreateQueryFilter($"PartitionKey lt {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}"),
            TableClient.CreateQueryFilter($"PartitionKey gt {today} and ReceivedAt lt {new DateTimeOffset(day, TimeSpan.Zero)}"),
        ];
        var count = 0L;
        foreach (var filter in filters)
        {
            await foreach (var page in byDay.QueryIfExistsAsync(
                    filter, [ColumnNames.EventPartitionKey, ColumnNames.EventRowKey, "PartitionKey", "RowKey"], cancellationToken))
            {
                if (use is not null)
                {
                    await Parallel.ForEachAsync(
                        page.Values,
                        new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                        async (row, token) => await PurgeAsync(row, use, token));
                }

                count += page.Values.Count;
                progress?.Report(count);
            }
        }

        return count;
    }

    private async Task PurgeAsync(TableEntity indexRow, BlobUse use, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            indexRow.GetString(ColumnNames.EventPartitionKey),
            indexRow.GetString(ColumnNames.EventRowKey),
            cancellationToken: cancellationToken);
        if (stored.HasValue)
        {
            var emailEvent = await events.ReadAsync(stored.Value!, cancellationToken);

            // Before its row: without the row, nothing would find the blob again.
            if (stored.Value!.GetString(ColumnNames.BodyBlob) is { } blob)
            {
                await sweep.ReleaseAsync(blob, use, cancellationToken);
            }

            await events.DeleteAsync(emailEvent, stored.Value, cancellationToken);
        }

        // A row that has lost its event, for example to a purge that ran while a duplicate was compared; or the row of this same event.
        await events.DeleteLostAsync(indexRow, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(320, LogLevel.Information, "Retention: deleted {Events} events, and swept {Blobs} blobs that nothing referred to.")]
        public static partial void Purged(ILogger logger, long events, long blobs);
    }
}
