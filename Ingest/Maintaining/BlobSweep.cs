using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Maintaining;

/// <summary>What may still need a body, as known when a run began.</summary>
/// <param name="Before">A blob written or touched later is left alone.</param>
/// <param name="IsSafe">No message is so old that it may refer to a blob from before that.</param>
/// <param name="DeadLettered">The blobs that dead letters refer to.</param>
internal sealed record BlobUse(DateTimeOffset Before, bool IsSafe, IReadOnlySet<string> DeadLettered);

/// <summary>Deletes bodies that nothing refers to any more.</summary>
/// <remarks>
/// Enqueuing a body writes or touches its blob, and so does each failed try to store it. So no message refers to a blob that was last
/// touched long before the oldest message came.
/// </remarks>
public sealed partial class BlobSweep(
    TableServiceClient service,
    QueueWatch queues,
    WebhookBlobs blobs,
    StorageClock clock,
    IngestMetrics metrics,
    ILogger<BlobSweep> logger)
{
    /// <summary>How long a blob is left alone after it was written or touched: a webhook that refers to it may be on its way.</summary>
    public static readonly TimeSpan After = TimeSpan.FromDays(7);

    // A blob is touched before its message is sent, which takes seconds.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient deadLetters = service.GetTableClient(DeadLetters.TableName);

    /// <summary>Deletes the blobs that were left alone for long enough. Each is looked at once after it was last touched.</summary>
    /// <returns>How many were deleted.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> SweepAsync(CancellationToken cancellationToken) =>
        await SweepAsync(await LookAsync(cancellationToken), cancellationToken);

    internal async Task<BlobUse> LookAsync(CancellationToken cancellationToken) =>
        await LookAsync(await clock.PassedAsync(cancellationToken) - After, Margin, cancellationToken);

    internal async Task<BlobUse> LookAsync(DateTimeOffset before, TimeSpan margin, CancellationToken cancellationToken) =>
        await queues.IsAllAfterAsync(before + margin, cancellationToken)
            ? new BlobUse(before, true, await DeadLetteredAsync(cancellationToken))
            : new BlobUse(before, false, new HashSet<string>());

    internal async Task<long> SweepAsync(BlobUse use, CancellationToken cancellationToken)
    {
        if (!use.IsSafe)
        {
            metrics.SweepSkipped();
            Log.Skipped(logger, use.Before);
            return 0;
        }

        var swept = 0L;
        await foreach (var name in blobs.ListUnsweptAsync(use.Before, cancellationToken))
        {
            var isUsed = use.DeadLettered.Contains(name) || await IsOfEventAsync(name, cancellationToken);
            swept += !isUsed && await blobs.DeleteAsync(name, use.Before, cancellationToken) ? 1 : 0;
        }

        await blobs.SetSweptAsync(use.Before, cancellationToken);
        return swept;
    }

    /// <summary>Deletes the body of an event that is about to be deleted. If it may still be needed, the sweep will see it again.</summary>
    internal async Task ReleaseAsync(string blob, BlobUse use, CancellationToken cancellationToken)
    {
        if (!use.IsSafe || use.DeadLettered.Contains(blob) || !await blobs.DeleteAsync(blob, use.Before, cancellationToken))
        {
            await blobs.TouchAsync(blob, cancellationToken);
        }
    }

    // An event's keys are a pure function of its body. Its whole partition is searched: an older version may have built another row key.
    private async Task<bool> IsOfEventAsync(string blob, CancellationToken cancellationToken)
    {
        if (await blobs.ReadAsync(blob, cancellationToken) is not { } body)
        {
            return false;
        }

        // If an older version may have built another partition key as well, the whole table is searched. That is rare.
        var isPlain = EmailEvent.TryParse(body, out var e, out _) && !EventKeys.PartitionKey(e).Contains('=', StringComparison.Ordinal);
        var filter = isPlain
            ? TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.PartitionKey(e!)} and BodyBlob eq {blob}")
            : TableClient.CreateQueryFilter($"BodyBlob eq {blob}");
        return await table.QueryIfExistsAsync(filter, ["RowKey"], cancellationToken)
            .AnyAsync(page => page.Values.Count > 0, cancellationToken);
    }

    private async Task<HashSet<string>> DeadLetteredAsync(CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var page in deadLetters.QueryIfExistsAsync(DeadLetterBlobs.Filter, DeadLetterBlobs.Columns, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                names.UnionWith(await DeadLetterBlobs.OfAsync(row, blobs, cancellationToken));
            }
        }

        return names;
    }

    private static partial class Log
    {
        [LoggerMessage(
            321,
            LogLevel.Warning,
            "Did not sweep bodies that nothing refers to: a message may have been waiting since before {Before:u}. Check the queues "
            + "(smtp2go-ingest check). The next sweep catches up.")]
        public static partial void Skipped(ILogger logger, DateTimeOffset before);
    }
}
