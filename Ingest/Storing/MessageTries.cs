using System.Collections.Concurrent;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>Runs the steps for a message's webhooks, and notes which failed, without the text of the exception.</summary>
internal sealed partial class MessageTries(QueueMessage message, OneLineAMinute lines, ILogger logger)
{
    private readonly ConcurrentQueue<(ReceivedWebhook? Webhook, string Error)> failures = new();

    /// <summary>The webhook is null if it, or the whole message, cannot be read.</summary>
    public IReadOnlyCollection<(ReceivedWebhook? Webhook, string Error)> Failures => failures;

    public async Task AddAsync(ReceivedWebhook? webhook, Func<Task> step, CancellationToken cancellationToken)
    {
        try
        {
            await step();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var error = StorageFailure.Describe(e);
            failures.Enqueue((webhook, error));
            if (lines.IsDue(error, out var count))
            {
                Log.Failed(logger, count, error, webhook?.Id, message.DequeueCount);
            }
        }
    }

    /// <summary>Throws if anything failed, so that the message comes again, and keeps the bodies it refers to until then.</summary>
    /// <exception cref="LoggableException">Something failed.</exception>
    public async Task EndAsync(WebhookBlobs blobs, CancellationToken cancellationToken)
    {
        foreach (var (webhook, _) in failures)
        {
            try
            {
                await (webhook?.Blob is { } blob ? blobs.TouchAsync(blob, cancellationToken) : Task.CompletedTask);
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The sweep leaves it alone for days after the last touch.
            }
        }

        if (!failures.IsEmpty)
        {
            var errors = string.Join(", ", failures.Select(failure => failure.Error).Distinct());
            throw new LoggableException($"Could not store {failures.Count} of the message's webhooks: {errors}.");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            310, LogLevel.Warning,
            "Could not store {Count} webhooks since the last such line: {Error}. They are tried again. The last one was {WebhookId}, "
            + "in a message seen {DequeueCount} times.")]
        public static partial void Failed(ILogger logger, long count, string error, string? webhookId, long dequeueCount);
    }
}
