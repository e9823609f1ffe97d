using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.SelfHost;

/// <summary>
/// Does for one queue what the Functions host's queue trigger does: batches, lease renewal, retry delay, dequeue count and the
/// move to the poison queue. A message of the poison queue itself is tried for ever.
/// </summary>
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

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Messages at hand are finished; only when the host's shutdown time-out runs out are they let go.
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
        while (!stoppingToken.IsCancellationRequested)
        {
            var messages = await ReceiveAsync(stoppingToken);
            running.UnionWith(messages.Select(HandleAsync));
            try
            {
                if (messages.Length == 0)
                {
                    await Task.Delay(pause, time, stoppingToken);
                    pause = pause * 2 < options.MaxPollingInterval ? pause * 2 : options.MaxPollingInterval;
                }
                else
                {
                    pause = MinPollingInterval;
                }

                running.RemoveWhere(task => task.IsCompleted);
                while (running.Count > options.NewBatchThreshold)
                {
                    running.Remove(await Task.WhenAny(running).WaitAsync(stoppingToken));
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
        }

        await Task.WhenAll(running);
    }

    private async Task<QueueMessage[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Not by the stopping token: a batch that was given out and not read would stay hidden for a whole lease.
            return (await queue.ReceiveMessagesAsync(options.BatchSize, options.Lease, abort.Token)).Value;
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            return [];
        }
        catch (Exception e)
        {
            // Whatever it is, an identity that hands out no token for a while included, the next look may go well.
            if (!cancellationToken.IsCancellationRequested)
            {
                Log.NotReceived(logger, queue.Name, e.GetType().Name);
            }

            return [];
        }
    }

    private async Task HandleAsync(QueueMessage message)
    {
        using var leaseLost = CancellationTokenSource.CreateLinkedTokenSource(abort.Token);
        using var handled = new CancellationTokenSource();
        var renewal = RenewAsync(message, leaseLost, handled.Token);
        var succeeded = await TryAsync(message, leaseLost.Token);
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
            // It comes again when its lease runs out, and finds its rows.
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
            // The function has logged what failed; an exception's text may hold a row.
            Log.Failed(logger, message.MessageId, queue.Name, message.DequeueCount, e.GetType().Name);
            return false;
        }
    }

    /// <summary>Renews the lease at half its time until the message is handled; gives the receipt to settle it with.</summary>
    private async Task<string> RenewAsync(QueueMessage message, CancellationTokenSource leaseLost, CancellationToken handled)
    {
        var receipt = message.PopReceipt;
        var expires = time.GetUtcNow() + options.Lease;
        while (true)
        {
            try
            {
                await Task.Delay(options.Lease / 2, time, handled);
            }
            catch (OperationCanceledException)
            {
                return receipt;
            }

            try
            {
                var renewed = await queue.UpdateMessageAsync(
                    message.MessageId, receipt, visibilityTimeout: options.Lease, cancellationToken: abort.Token);
                receipt = renewed.Value.PopReceipt;
                expires = time.GetUtcNow() + options.Lease;
            }
            catch (Exception e)
            {
                // 404: the message is gone. 400: somebody else has a newer receipt.
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
        [LoggerMessage(400, LogLevel.Error, "Queue {Queue} could not be read ({Error}). It is tried again.")]
        public static partial void NotReceived(ILogger logger, string queue, string error);

        [LoggerMessage(401, LogLevel.Warning, "Message {MessageId} of {Queue} failed, try {DequeueCount}: {Error}. It comes again.")]
        public static partial void Failed(ILogger logger, string messageId, string queue, long dequeueCount, string error);

        [LoggerMessage(402, LogLevel.Warning, "Message {MessageId} of {Queue} could not be settled ({Error}). It comes again.")]
        public static partial void NotSettled(ILogger logger, string messageId, string queue, string error);

        [LoggerMessage(403, LogLevel.Warning, "The lease on message {MessageId} of {Queue} is lost. Whoever has it now goes on.")]
        public static partial void LeaseLost(ILogger logger, string messageId, string queue);

        [LoggerMessage(404, LogLevel.Error, "Message {MessageId} was moved to {Queue} after {DequeueCount} tries.")]
        public static partial void MovedToPoison(ILogger logger, string messageId, string queue, long dequeueCount);
    }
}
