using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.SelfHost;

/// <summary>
/// Does what the Functions host's queue trigger does for one queue: batches, lease renewal, retry delay, dequeue count and the move to the
/// poison queue.
/// </summary>
/// <param name="poison">Null for the poison queue itself: its messages are retried forever.</param>
internal sealed partial class QueuePump(
    QueueClient queue,
    QueueClient? poison,
    Func<QueueMessage, CancellationToken, Task> function,
    QueueTriggerOptions options,
    TimeProvider time,
    ILogger logger) : BackgroundService
{
    private static readonly TimeSpan MinPollingInterval = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource abort = new();
    private readonly OneLineAMinute lines = new(time);
    private readonly QueueOutage outage = new(queue.Name, time, logger);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Messages in flight are finished. They are abandoned only when the host's shutdown timeout runs out.
        await using var _ = cancellationToken.Register(abort.Cancel);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        abort.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var running = new HashSet<Task>();
        var pause = MinPollingInterval;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var messages = await ReceiveAsync(stoppingToken);
                running.UnionWith(messages.Select(HandleAsync));
                if (messages.Length > 0)
                {
                    pause = MinPollingInterval;
                }
                else
                {
                    await Task.Delay(pause, time, stoppingToken);
                    pause = pause * 2 < options.MaxPollingInterval ? pause * 2 : options.MaxPollingInterval;
                }

                running.RemoveWhere(task => task.IsCompleted);
                while (running.Count > options.NewBatchThreshold)
                {
                    running.Remove(await Task.WhenAny(running).WaitAsync(stoppingToken));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while waiting.
        }

        await Task.WhenAll(running);
    }

    private async Task<QueueMessage[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Not the stopping token: a batch that was handed out but never read would stay hidden for a whole lease.
            var messages = (await queue.ReceiveMessagesAsync(options.BatchSize, options.Lease, abort.Token)).Value;
            outage.Over();
            return messages;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            outage.Over();
            return [];
        }
        catch (Exception e)
        {
            // Any failure may pass, for example an identity that cannot get a token for a while.
            if (!cancellationToken.IsCancellationRequested)
            {
                outage.Note(e);
            }

            return [];
        }
    }

    private async Task HandleAsync(QueueMessage message)
    {
        using var leaseLost = CancellationTokenSource.CreateLinkedTokenSource(abort.Token);
        using var handled = new CancellationTokenSource();
        var renewal = RenewAsync(message, leaseLost, handled.Token);

        // Tried too often already: then the process itself crashed. Running it again could crash this one.
        var isGivenUp = poison is not null && message.DequeueCount > options.MaxDequeueCount;
        var succeeded = !isGivenUp && await TryAsync(message, leaseLost.Token);
        await handled.CancelAsync();
        var receipt = await renewal;
        if (leaseLost.IsCancellationRequested)
        {
            return;
        }

        try
        {
            await (succeeded ? queue.DeleteMessageAsync(message.MessageId, receipt, abort.Token)
                : poison is not null && message.DequeueCount >= options.MaxDequeueCount ? MoveToPoisonAsync(poison, message, receipt)
                : queue.UpdateMessageAsync(
                    message.MessageId, receipt, visibilityTimeout: options.VisibilityTimeout, cancellationToken: abort.Token));
        }
        catch (Exception e)
        {
            // It comes back when its lease runs out, and finds its rows already there.
            Log.NotSettled(logger, message.MessageId, queue.Name, e.GetType().Name);
        }
    }

    private async Task<bool> TryAsync(QueueMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await function(message, cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            if (lines.IsDue(nameof(Log.Failed), out var count))
            {
                Log.Failed(logger, count, queue.Name, message.MessageId, message.DequeueCount, StorageFailure.Describe(e));
            }

            return false;
        }
    }

    /// <summary>Renews the lease at half its time until the message is handled. Returns the receipt to settle it with.</summary>
    private async Task<string> RenewAsync(QueueMessage message, CancellationTokenSource leaseLost, CancellationToken handled)
    {
        var receipt = message.PopReceipt;
        var expires = time.GetUtcNow() + options.Lease;
        while (true)
        {
            try
            {
                await Task.Delay(options.Lease / 2, time, handled);
                var renewed = await queue.UpdateMessageAsync(
                    message.MessageId, receipt, visibilityTimeout: options.Lease, cancellationToken: abort.Token);
                receipt = renewed.Value.PopReceipt;
                expires = time.GetUtcNow() + options.Lease;
            }
            catch (OperationCanceledException) when (handled.IsCancellationRequested)
            {
                return receipt;
            }
            catch (Exception e)
            {
                // 404: the message is gone. 400: another consumer has taken it.
                if (e is RequestFailedException { Status: 400 or 404 } || time.GetUtcNow() >= expires)
                {
                    Log.LeaseLost(logger, message.MessageId, queue.Name);
                    await leaseLost.CancelAsync();
                    return receipt;
                }
            }
        }
    }

    private async Task MoveToPoisonAsync(QueueClient poisonQueue, QueueMessage message, string receipt)
    {
        await WebhookQueue.SendAsync(poisonQueue, message.Body, abort.Token);
        Log.MovedToPoison(logger, message.MessageId, poisonQueue.Name, message.DequeueCount);
        await queue.DeleteMessageAsync(message.MessageId, receipt, abort.Token);
    }

    private static partial class Log
    {
        [LoggerMessage(
            401,
            LogLevel.Warning,
            "{Count} tries of messages in {Queue} failed since the last such line. The last one was try {DequeueCount} of {MessageId}: "
            + "{Failure}.")]
        public static partial void Failed(
            ILogger logger, long count, string queue, string messageId, long dequeueCount, string failure);

        [LoggerMessage(
            402, LogLevel.Warning, "Could not settle message {MessageId} in {Queue} ({Error}). It will come back when its lease ends.")]
        public static partial void NotSettled(ILogger logger, string messageId, string queue, string error);

        [LoggerMessage(403, LogLevel.Warning, "Lost the lease on message {MessageId} in {Queue}: another consumer has it, or it is gone.")]
        public static partial void LeaseLost(ILogger logger, string messageId, string queue);

        [LoggerMessage(404, LogLevel.Error, "Moved message {MessageId} to {Queue} after {DequeueCount} tries.")]
        public static partial void MovedToPoison(ILogger logger, string messageId, string queue, long dequeueCount);
    }
}
