using System.Collections.Concurrent;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>What was tried for the webhooks of a message, and what of it failed; a failure is noted without its exception's text.</summary>
internal sealed partial class MessageTries(QueueMessage message, ILogger logger)
{
    private readonly ConcurrentQueue<(ReceivedWebhook? Webhook, string Error)> failures = new();

    /// <summary>The webhook is null where it, or the whole message, cannot be read.</summary>
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
            Log.Failed(logger, webhook?.Id, error, message.DequeueCount);
        }
    }

    public void ThrowIfAnyFailed()
    {
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
            "Webhook {WebhookId} could not be stored: {Error}. Its message was seen {DequeueCount} times.")]
        public static partial void Failed(ILogger logger, string? webhookId, string error, long dequeueCount);
    }
}
