using System.Diagnostics;
using Azure;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>From a queue message to rows. Every webhook of a message stands alone: one that fails never holds up its neighbours.</summary>
/// <param name="events">Where events go.</param>
/// <param name="deadLetters">Where everything else goes.</param>
/// <param name="blobs">Where bodies are that no message can hold.</param>
/// <param name="metrics">Counts what became of each webhook.</param>
/// <param name="time">The clock, for the lag.</param>
/// <param name="logger">Reports failures and conflicts.</param>
public sealed partial class WebhookProcessor(
    EventStore events, DeadLetters deadLetters, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time, ILogger<WebhookProcessor> logger)
{
    /// <summary>Stores every webhook of a message, as an event or as a dead letter.</summary>
    /// <param name="message">A message of <see cref="WebhookQueue.Name"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="InvalidOperationException">Storage failed for some; the message has to come again, and the others are stored.</exception>
    public Task StoreAsync(QueueMessage message, CancellationToken cancellationToken) =>
        ForEachAsync(message, StoreAsync, cancellationToken);

    /// <summary>Keeps every webhook of a message that the host gave up as a dead letter.</summary>
    /// <param name="message">A message of <see cref="WebhookQueue.PoisonName"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="InvalidOperationException">Storage failed for some; the message has to come again.</exception>
    public Task KeepPoisonAsync(QueueMessage message, CancellationToken cancellationToken) =>
        ForEachAsync(message, KeepPoisonAsync, cancellationToken);

    private async Task ForEachAsync(QueueMessage message, Func<ReceivedWebhook, CancellationToken, Task> handle, CancellationToken cancellationToken)
    {
        var text = message.Body.ToString();
        var content = Envelope.Read(text);
        if (content.Problem is { } problem)
        {
            await deadLetters.KeepUnreadableAsync(message, null, text, problem, cancellationToken);
            return;
        }

        var failures = new List<string>();
        for (var i = 0; i < content.Entries.Count; i++)
        {
            var (webhook, json) = content.Entries[i];
            try
            {
                await (webhook is null
                    ? deadLetters.KeepUnreadableAsync(message, i, json, "This webhook of the message cannot be read.", cancellationToken)
                    : handle(webhook, cancellationToken));
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                failures.Add(StorageFailure.Describe(e));
                Log.Failed(logger, webhook?.Id, failures[^1], message.DequeueCount);
            }
        }

        if (failures.Count > 0)
        {
            // Without the exceptions themselves: the Functions host would log their texts, which may quote a row.
            throw new InvalidOperationException(
                $"{failures.Count} of {content.Entries.Count} webhooks of the message could not be stored: {string.Join(", ", failures.Distinct())}.");
        }
    }

    private async Task StoreAsync(ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        using var activity = StartActivity(webhook);
        var body = webhook.Body is { } text ? BinaryData.FromString(text) : await blobs.ReadAsync(webhook.Blob!, cancellationToken);
        if (body is null)
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.BlobMissing, "The blob that held the body is gone.", cancellationToken);
        }
        else if (!WebhookBody.TryParse(body, out var fields, out var problem))
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.Unparsable, $"The body cannot be read: {problem}.", cancellationToken);
        }
        else if (!EmailEvent.TryCreate(fields, out var emailEvent))
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.NoEvent, "The body has no field 'event' with a value.", cancellationToken);
        }
        else
        {
            await StoreAsync(emailEvent, webhook, cancellationToken);
        }
    }

    private async Task StoreAsync(EmailEvent emailEvent, ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        StoreOutcome outcome;
        try
        {
            outcome = await events.StoreAsync(emailEvent, webhook, cancellationToken);
        }
        catch (RequestFailedException e) when (e.IsForGood())
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.Refused, $"Storage refuses the row: {StorageFailure.Describe(e)}.", cancellationToken);
            return;
        }

        switch (outcome)
        {
            case StoreOutcome.Stored:
                metrics.Stored(emailEvent, time.GetUtcNow() - webhook.ReceivedAt);
                break;
            case StoreOutcome.Duplicate:
                metrics.Duplicate();
                break;
            case StoreOutcome.Conflict:
                const string Error = "An event with the same id, name and recipient is stored with other values.";
                await deadLetters.KeepAsync(webhook, DeadLetterReason.Conflict, Error, cancellationToken);
                break;
            case StoreOutcome.StoredBefore:
                break;
        }
    }

    private Task KeepPoisonAsync(ReceivedWebhook webhook, CancellationToken cancellationToken) =>
        deadLetters.KeepAsync(webhook, DeadLetterReason.Poison, "Storing failed too often; replay it once the cause is mended.", cancellationToken);

    // A child of the POST that brought the webhook, linked to the invocation that stores it with its neighbours.
    private static Activity? StartActivity(ReceivedWebhook webhook)
    {
        _ = ActivityContext.TryParse(webhook.TraceParent, null, isRemote: true, out var parent);
        ActivityLink[] links = Activity.Current is { } invocation ? [new ActivityLink(invocation.Context)] : [];
        return IngestMetrics.Activities.StartActivity("store webhook", ActivityKind.Consumer, parent, links: links);
    }

    private static partial class Log
    {
        [LoggerMessage(310, LogLevel.Warning, "Webhook {WebhookId} could not be stored: {Error}. The message was seen {DequeueCount} times and comes again.")]
        public static partial void Failed(ILogger logger, string? webhookId, string error, long dequeueCount);
    }
}
