using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Deletes events that are older than they are kept, found through the day index, and blobs that nothing refers to.</summary>
public sealed partial class Retention(
    TableServiceClient service,
    QueueWatch queues,
    WebhookBlobs blobs,
    EventStore events,
    IOptions<EventsOptions> options,
    TimeProvider time,
    ILogger<Retention> logger)
{
    /// <summary>When it runs: every day at half past three, UTC.</summary>
    public const string Schedule = "0 30 3 * * *";

    /// <summary>How long a blob that nothing refers to is left alone: a webhook may be on its way to it.</summary>
    public static readonly TimeSpan SweepAfter = TimeSpan.FromDays(7);

    private const int MaxParallel = 16;

    // Names of 64 characters: some 20 MB at the most.
    private const int SweepAtOnce = 100_000;

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);
    private readonly TableClient deadLetters = service.GetTableClient(DeadLetters.TableName);

    /// <summary>Deletes what the settings say is too old, then sweeps blobs.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task PurgeExpiredAsync(CancellationToken cancellationToken)
    {
        var purged = options.Value.RetentionDays == 0 ? 0
            : await PurgeAsync(time.GetUtcNow().AddDays(-options.Value.RetentionDays), dryRun: false, null, cancellationToken);
        var swept = await SweepAsync(time.GetUtcNow() - SweepAfter, cancellationToken);
        Log.Purged(logger, purged, swept);
    }

    /// <summary>Deletes the events of all whole days before a time from all three tables, and their blobs.</summary>
    /// <param name="before">The time. An event without one, or with one in the future, is as old as its receipt.</param>
    /// <returns>How many events.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> PurgeAsync(DateTimeOffset before, bool dryRun, IProgress<long>? progress, CancellationToken cancellationToken)
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
                if (!dryRun)
                {
                    await Parallel.ForEachAsync(
                        page.Values,
                        new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                        async (row, token) => await PurgeAsync(row, token));
                }

                count += page.Values.Count;
                progress?.Report(count);
            }
        }

        return count;
    }

    /// <summary>Deletes blobs unused since a time that no row refers to; none while a message waits, which may refer to one.</summary>
    /// <returns>How many blobs.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> SweepAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var swept = 0L;
        await foreach (var names in blobs.ListAsync(before, cancellationToken).Chunk(SweepAtOnce).WithCancellation(cancellationToken))
        {
            // Before the rows are read: a message may become a row while they are. What arrives later touches its blob.
            if (await queues.CountAsync(cancellationToken) > 0)
            {
                break;
            }

            var unused = names.ToHashSet(StringComparer.Ordinal);
            foreach (var client in new[] { table, deadLetters })
            {
                const string WithBlob = $"{ColumnNames.BodyBlob} gt ''";
                await foreach (var page in client.QueryIfExistsAsync(WithBlob, [ColumnNames.BodyBlob], cancellationToken))
                {
                    unused.ExceptWith(page.Values.Select(row => row.GetString(ColumnNames.BodyBlob)));
                }
            }

            foreach (var name in unused)
            {
                swept += await blobs.DeleteAsync(name, before, cancellationToken) ? 1 : 0;
            }
        }

        return swept;
    }

    private async Task PurgeAsync(TableEntity indexRow, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            indexRow.GetString(ColumnNames.EventPartitionKey),
            indexRow.GetString(ColumnNames.EventRowKey),
            cancellationToken: cancellationToken);
        if (stored.HasValue)
        {
            // Asked before the row goes: a message that waits may refer to the blob.
            var blob = stored.Value!.GetString(ColumnNames.BodyBlob);
            var idle = blob is not null && await queues.CountAsync(cancellationToken) == 0;
            await events.DeleteAsync(await events.ReadAsync(stored.Value, cancellationToken), stored.Value, cancellationToken);
            if (idle && !await IsUsedAsync(blob!, cancellationToken))
            {
                await blobs.DeleteAsync(blob!, time.GetUtcNow().AddDays(-1), cancellationToken);
            }
        }

        await byDay.DeleteEntityAsync(indexRow.PartitionKey, indexRow.RowKey, cancellationToken: cancellationToken);
    }

    // Of two events with one body one has gone already: the same body is the same event. A dead letter may hold it as well.
    private async Task<bool> IsUsedAsync(string blob, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"BodyBlob eq {blob}");
        await foreach (var page in deadLetters.QueryIfExistsAsync(filter, ["RowKey"], cancellationToken))
        {
            if (page.Values.Count > 0)
            {
                return true;
            }
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(320, LogLevel.Information, "Retention: {Events} events deleted, {Blobs} blobs swept that nothing referred to.")]
        public static partial void Purged(ILogger logger, long events, long blobs);
    }
}
