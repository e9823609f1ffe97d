using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>The settings <c>Events__…</c>.</summary>
public sealed class EventsOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Events";

    /// <summary>How many days an event is kept; 0 keeps for ever.</summary>
    public int RetentionDays { get; set; }
}

/// <summary>Refuses a retention that is none.</summary>
public sealed class EventsOptionsValidator : IValidateOptions<EventsOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, EventsOptions options) =>
        options.RetentionDays is >= 0 and <= 36_500
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Events__RetentionDays must lie between 0 (keep for ever) and 36500.");
}

/// <summary>Deletes events that are older than they are kept, found through the day index, and blobs that nothing refers to.</summary>
/// <param name="service">The storage account's tables.</param>
/// <param name="queues">Knows how many messages wait.</param>
/// <param name="blobs">The bodies that no row can hold.</param>
/// <param name="events">The events.</param>
/// <param name="options">How long events are kept.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Reports what was deleted.</param>
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
    /// <param name="cancellationToken">Ends the run; the next one goes on where this one was.</param>
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
    /// <param name="dryRun">Counts and deletes nothing.</param>
    /// <param name="progress">Told of the number so far.</param>
    /// <param name="cancellationToken">Ends the run; the next one goes on where this one was.</param>
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
                    filter, [EventIndex.EventPartitionKey, EventIndex.EventRowKey, "PartitionKey", "RowKey"], cancellationToken))
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

    /// <summary>Deletes blobs that nobody used since a time and no row refers to; none while a message waits, which may refer to it.</summary>
    /// <param name="before">The time.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>How many blobs.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> SweepAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var swept = 0L;
        await foreach (var names in blobs.ListAsync(before, cancellationToken).ChunkAsync(SweepAtOnce, cancellationToken))
        {
            // Before the rows are read: a message may become a row while they are. What arrives later touches its blob.
            if (await queues.CountAsync(cancellationToken) > 0)
            {
                break;
            }

            var unused = names.ToHashSet(StringComparer.Ordinal);
            foreach (var client in new[] { table, deadLetters })
            {
                await foreach (var page in client.QueryIfExistsAsync($"{EventColumns.BodyBlob} gt ''", [EventColumns.BodyBlob], cancellationToken))
                {
                    unused.ExceptWith(page.Values.Select(row => row.GetString(EventColumns.BodyBlob)));
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
            indexRow.GetString(EventIndex.EventPartitionKey),
            indexRow.GetString(EventIndex.EventRowKey),
            cancellationToken: cancellationToken);
        if (stored.HasValue)
        {
            // Asked before the row goes: a message that waits may refer to the blob.
            var blob = stored.Value!.GetString(EventColumns.BodyBlob);
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
        await foreach (var page in deadLetters.QueryIfExistsAsync(TableClient.CreateQueryFilter($"BodyBlob eq {blob}"), ["RowKey"], cancellationToken))
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
