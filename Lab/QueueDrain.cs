using Azure;
using Azure.Storage.Queues;

namespace Smtp2GoIngest.Lab;

/// <summary>Counts what is left in queues, and waits until they are empty.</summary>
public static class QueueDrain
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How many messages are left, including hidden ones. A queue that does not exist has none.</summary>
    public static async Task<int> CountAsync(IEnumerable<QueueClient> queues, CancellationToken cancellationToken)
    {
        var count = 0;
        foreach (var queue in queues)
        {
            try
            {
                count += (await queue.GetPropertiesAsync(cancellationToken)).Value.ApproximateMessagesCount;
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                // The first webhook creates it.
            }
        }

        return count;
    }

    /// <summary>Waits until no message is left, including hidden ones.</summary>
    /// <exception cref="TimeoutException">Some are left after this time.</exception>
    public static async Task WaitAsync(IReadOnlyList<QueueClient> queues, TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (var deadline = DateTimeOffset.UtcNow + timeout; await CountAsync(queues, cancellationToken) is > 0 and var left;)
        {
            if (DateTimeOffset.UtcNow > deadline)
            {
                var names = string.Join(" and ", queues.Select(queue => queue.Name));
                throw new TimeoutException($"{left} messages are left in {names} after {timeout.TotalMinutes} minutes.");
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }
}
