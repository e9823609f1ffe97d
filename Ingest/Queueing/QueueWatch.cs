using System.Collections.Concurrent;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>Measures how much waits in the queues, and how long: the only signals that still work when the consumer is stuck.</summary>
public sealed class QueueWatch(QueueServiceClient service, IngestMetrics metrics, TimeProvider time)
{
    /// <summary>Once a minute.</summary>
    public const string Schedule = "0 * * * * *";

    private const int MostPeeked = 32;

    private readonly ConcurrentDictionary<string, DateTimeOffset> oldest = new(StringComparer.Ordinal);

    /// <summary>Measures both queues. A queue that does not exist yet is empty.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task WatchAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(WatchAsync(WebhookQueue.Name, cancellationToken), WatchAsync(WebhookQueue.PoisonName, cancellationToken));

    /// <summary>How many messages both queues hold, including hidden ones. A queue that does not exist yet is empty.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<int> CountAsync(CancellationToken cancellationToken) =>
        await CountAsync(service.GetQueueClient(WebhookQueue.Name), cancellationToken)
        + await CountAsync(service.GetQueueClient(WebhookQueue.PoisonName), cancellationToken);

    private static async Task<int> CountAsync(QueueClient queue, CancellationToken cancellationToken)
    {
        try
        {
            return (await queue.GetPropertiesAsync(cancellationToken)).Value.ApproximateMessagesCount;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            return 0;
        }
    }

    private async Task WatchAsync(string name, CancellationToken cancellationToken)
    {
        var queue = service.GetQueueClient(name);
        var depth = await CountAsync(queue, cancellationToken);
        var visible = depth == 0 ? [] : (await queue.PeekMessagesAsync(MostPeeked, cancellationToken)).Value;
        metrics.QueueMeasured(name, depth, AgeOf(name, depth, visible));
    }

    // A hidden message, for example between two tries, cannot be peeked. While all are hidden, the last known age goes on.
    private TimeSpan AgeOf(string name, int depth, PeekedMessage[] visible)
    {
        if (depth == 0)
        {
            oldest.TryRemove(name, out _);
            return TimeSpan.Zero;
        }

        var now = time.GetUtcNow();
        var seen = visible.Length > 0 ? visible.Min(message => message.InsertedOn ?? now) : now;
        return now - oldest.AddOrUpdate(name, seen, (_, before) => visible.Length > 0 ? seen : before);
    }
}
