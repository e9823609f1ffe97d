using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>
/// Measures how many messages wait in the queues, and for how long: the only signals that still work when the consumer is stuck.
/// </summary>
public sealed class QueueWatch(QueueServiceClient service, IngestMetrics metrics)
{
    /// <summary>Once a minute.</summary>
    public const string Schedule = "0 * * * * *";

    /// <summary>Measures both queues. A queue that does not exist yet is empty.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task WatchAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(WatchAsync(WebhookQueue.Name, cancellationToken), WatchAsync(WebhookQueue.PoisonName, cancellationToken));

    /// <summary>How many messages are in both queues, including hidden ones. A queue that does not exist yet is empty.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<int> CountAsync(CancellationToken cancellationToken) =>
        await CountAsync(service.GetQueueClient(WebhookQueue.Name), cancellationToken)
        + await CountAsync(service.GetQueueClient(WebhookQueue.PoisonName), cancellationToken);

    /// <summary>Whether every message in both queues, including hidden ones, came after a time; false if that is not known.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task<bool> IsAllAfterAsync(DateTimeOffset after, CancellationToken cancellationToken)
    {
        foreach (var name in new[] { WebhookQueue.Name, WebhookQueue.PoisonName })
        {
            try
            {
                if (!(await QueueLook.AtAsync(service.GetQueueClient(name), cancellationToken)).IsAllAfter(after))
                {
                    return false;
                }
            }
            catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
            {
                // The same as empty.
            }
        }

        return true;
    }

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
        try
        {
            var look = await QueueLook.AtAsync(service.GetQueueClient(name), cancellationToken);

            // First, so that a mark that cannot be written does not cost the measurement. An unknown age is not reported.
            metrics.QueueMeasured(name, look.Depth, look.Age);
            await look.KeepAsync(cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            metrics.QueueMeasured(name, 0, TimeSpan.Zero);
        }
    }
}
