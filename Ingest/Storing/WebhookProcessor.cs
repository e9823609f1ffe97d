using System.Collections.Concurrent;
using System.Diagnostics;
using Azure;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>From a queue message to rows. Every webhook of a message stands alone: one that fails never holds up its neighbours.</summary>
/// <param name="events">Where events go.</param>
/// <param name="deadLetters">Where everything else goes.</param>
/// <param name="blobs">Where bodies are that no message can hold.</param>
/// <param name="metrics">Counts what became of each webhook.</param>
/// <param name="time">The clock, for the lag.</param>
/// <param name="logger">Reports failures and conflicts.</param>
public sealed partial class WebhookProcessor(
    EventStore events,
    DeadLetters deadLetters,
    WebhookBlobs blobs,
    IngestMetrics metrics,
    TimeProvider time,
    ILogger<WebhookProcessor> logger)
{
    // Of the bodies and dead letters of one message at a time; the trigger runs up to 24 messages side by side.
    private const int MaxParallel = 16;

    /// <summary>Stores every webhook of a message, as an event or as a dead letter.</summary>
    /// <param name="message">A message of <see cref="WebhookQueue.Name"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="InvalidOperationException">Storage failed for some; the message has to come again, and the others are stored.</exception>
    public Task StoreAsync(QueueMessage message, CancellationToken cancellationToken) =>
        ForEachAsync(message, ReadAsync, StoreAsync, cancellationToken);

    /// <summary>Keeps every webhook of a message that the host gave up as a dead letter.</summary>
    /// <param name="message">A message of <see cref="WebhookQueue.PoisonName"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="InvalidOperationException">Storage failed for some; the message has to come again.</exception>
    public Task KeepPoisonAsync(QueueMessage message, CancellationToken cancellationToken) =>
        ForEachAsync(message, KeepPoisonAsync, static (_, _, _) => Task.CompletedTask, cancellationToken);

    /// <summary>Handles each webhook alone, then what came of them together.</summary>
    private async Task ForEachAsync(
        QueueMessage message,
        Func<ReceivedWebhook, CancellationToken, Task<ReceivedEvent?>> handle,
        Func<IReadOnlyList<ReceivedEvent>, Action<ReceivedWebhook, Exception>, CancellationToken, Task> complete,
        CancellationToken cancellationToken)
    {
        var text = message.Body.ToString();
        var content = Envelope.Read(text);
        if (content.Problem is { } problem)
        {
            await KeepUnreadableAsync(message, text, problem, cancellationToken);
            return;
        }

        var failures = new ConcurrentQueue<string>();
        var handled = new ReceivedEvent?[content.Entries.Count];
        var activities = StartActivities(content.Entries);
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, content.Entries.Count),
                new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                async (i, token) =>
                {
                    var (webhook, json) = content.Entries[i];
                    try
                    {
                        if (webhook is null)
                        {
                            await deadLetters.KeepUnreadableAsync(message, i, json, "This webhook of the message cannot be read.", token);
                        }
                        else
                        {
                            handled[i] = await handle(webhook, token);
                        }
                    }
                    catch (Exception e) when (!token.IsCancellationRequested)
                    {
                        Fail(webhook, e);
                    }
                });
            await complete([.. handled.OfType<ReceivedEvent>()], Fail, cancellationToken);
        }
        finally
        {
            activities.ForEach(activity => activity?.Dispose());
        }

        if (!failures.IsEmpty)
        {
            // Without the exceptions themselves: the Functions host would log their texts, which may quote a row.
            throw new InvalidOperationException(
                $"{failures.Count} of {content.Entries.Count} webhooks of the message could not be stored: {string.Join(", ", failures.Distinct())}.");
        }

        void Fail(ReceivedWebhook? webhook, Exception e)
        {
            var failure = StorageFailure.Describe(e);
            failures.Enqueue(failure);
            Log.Failed(logger, webhook?.Id, failure, message.DequeueCount);
        }
    }

    private async Task KeepUnreadableAsync(QueueMessage message, string text, string problem, CancellationToken cancellationToken)
    {
        try
        {
            await deadLetters.KeepUnreadableAsync(message, null, text, problem, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
#pragma warning disable MA0054 // Without the exception itself: its text may quote the row.
            throw new InvalidOperationException($"The message could not be kept: {StorageFailure.Describe(e)}.");
#pragma warning restore MA0054
        }
    }

    /// <summary>Reads the event of a webhook; null where it became a dead letter.</summary>
    private async Task<ReceivedEvent?> ReadAsync(ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
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
            await deadLetters.KeepAsync(
                webhook, DeadLetterReason.NoEvent, "The body has no field 'event' with a value.", cancellationToken);
        }
        else
        {
            return new ReceivedEvent(emailEvent, webhook);
        }

        return null;
    }

    private async Task StoreAsync(
        IReadOnlyList<ReceivedEvent> batch, Action<ReceivedWebhook, Exception> fail, CancellationToken cancellationToken)
    {
        var results = await events.StoreAsync(batch, cancellationToken);
        for (var i = 0; i < batch.Count; i++)
        {
            try
            {
                await SettleAsync(batch[i], results[i], cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                fail(batch[i].Webhook, e);
            }
        }
    }

    private async Task SettleAsync(ReceivedEvent received, StoreResult result, CancellationToken cancellationToken)
    {
        switch (result.Outcome)
        {
            case StoreOutcome.Stored:
                metrics.Stored(
                    EventName.IsKnown(received.Event.Name) ? received.Event.Name : "other",
                    time.GetUtcNow() - received.Webhook.ReceivedAt);
                break;
            case StoreOutcome.Duplicate:
                metrics.Duplicate();
                break;
            case StoreOutcome.Conflict:
                const string Error = "An event with the same id, name and recipient is stored with other values.";
                await deadLetters.KeepAsync(received.Webhook, DeadLetterReason.Conflict, Error, cancellationToken);
                break;
            case StoreOutcome.Failed when result.Failure is RequestFailedException refused && refused.IsForGood():
                await deadLetters.KeepAsync(
                    received.Webhook,
                    DeadLetterReason.Refused,
                    $"Storage refuses a row: {StorageFailure.Describe(refused)}.",
                    cancellationToken);
                break;
            case StoreOutcome.Failed:
                throw result.Failure!;
            case StoreOutcome.StoredBefore:
                break;
        }

        if (result.Outcome is StoreOutcome.Stored or StoreOutcome.StoredBefore or StoreOutcome.Duplicate
            && received.Webhook.ReplayOf is { } replayOf)
        {
            await deadLetters.DropReplayedAsync(replayOf, cancellationToken);
        }
    }

    private async Task<ReceivedEvent?> KeepPoisonAsync(ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        await deadLetters.KeepAsync(
            webhook, DeadLetterReason.Poison, "Storing failed too often; replay it once the cause is mended.", cancellationToken);
        return null;
    }

    // Each a child of the POST that brought its webhook, and linked to the invocation that stores it with its neighbours.
    private static List<Activity?> StartActivities(IEnumerable<EnvelopeEntry> entries)
    {
        var invocation = Activity.Current;
        ActivityLink[] links = invocation is null ? [] : [new ActivityLink(invocation.Context)];
        var activities = new List<Activity?>();
        foreach (var entry in entries)
        {
            _ = ActivityContext.TryParse(entry.Webhook?.TraceParent, null, isRemote: true, out var parent);
            activities.Add(IngestMetrics.Activities.StartActivity("store webhook", ActivityKind.Consumer, parent, links: links));
            Activity.Current = invocation;
        }

        return activities;
    }

    private static partial class Log
    {
        [LoggerMessage(
            310,
            LogLevel.Warning,
            "Webhook {WebhookId} could not be stored: {Error}. The message was seen {DequeueCount} times and comes again.")]
        public static partial void Failed(ILogger logger, string? webhookId, string error, long dequeueCount);
    }
}
