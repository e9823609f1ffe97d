using System.Diagnostics;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>
/// Turns a queue message into rows. Each webhook in it is handled on its own: one that fails never holds up its neighbours.
/// </summary>
public sealed class WebhookProcessor(
    EventStore events,
    DeadLetters deadLetters,
    WebhookBlobs blobs,
    IngestMetrics metrics,
    TimeProvider time,
    ILogger<WebhookProcessor> logger)
{
    // Bodies and dead letters per message; the trigger runs up to 24 messages in parallel.
    private const int MaxParallel = 16;

    private readonly OneLineAMinute lines = new(time);

    /// <summary>Stores each webhook in a message from <see cref="WebhookQueue.Name"/>, as an event or as a dead letter.</summary>
    /// <exception cref="LoggableException">Storage failed for some. The others are stored, and the message must come again.</exception>
    public async Task StoreAsync(QueueMessage message, CancellationToken cancellationToken) =>
        await (await TryStoreAsync(message, ReadAsync, cancellationToken)).EndAsync(blobs, cancellationToken);

    /// <summary>Stores a message from <see cref="WebhookQueue.PoisonName"/>, and keeps what still fails as dead letters.</summary>
    /// <remarks>It tries to store a message only once: a webhook that crashed the process would crash it again.</remarks>
    /// <exception cref="LoggableException">Not even that was possible for some. The message must come again.</exception>
    public async Task KeepPoisonAsync(QueueMessage message, CancellationToken cancellationToken)
    {
        if (message.DequeueCount > 1)
        {
            await (await TryStoreAsync(message, KeepUnstoredAsync, cancellationToken)).EndAsync(blobs, cancellationToken);
            return;
        }

        var tries = new MessageTries(message, lines, logger);
        var stored = await TryStoreAsync(message, ReadAsync, cancellationToken);
        foreach (var (webhook, error) in stored.Failures)
        {
            await tries.AddAsync(webhook, () => KeepPoisonAsync(webhook, error, cancellationToken), cancellationToken);
        }

        await tries.EndAsync(blobs, cancellationToken);
    }

    private async Task<EventRow?> KeepUnstoredAsync(ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        await deadLetters.KeepUnlessStoredAsync(
            webhook,
            DeadLetterReason.Poison,
            Poisoned("the first try was not finished"),
            async () =>
            {
                if (await StoredBody.Of(webhook).ReadAsync(blobs, cancellationToken) is not { } body
                    || !EmailEvent.TryParse(body, out var emailEvent, out _))
                {
                    return false;
                }

                var row = EventRow.New(emailEvent, webhook);
                await events.CompleteAsync(row, cancellationToken);
                return row.IsThere;
            },
            cancellationToken);
        return null;
    }

    private static string Poisoned(string error) => $"Storing failed too often: {error}. Fix that, then replay it.";

    private Task<TableEntity?> KeepPoisonAsync(ReceivedWebhook? webhook, string error, CancellationToken cancellationToken) =>
        webhook is null
            ? throw new LoggableException(error)
            : deadLetters.KeepAsync(webhook, DeadLetterReason.Poison, Poisoned(error), cancellationToken);

    private async Task<MessageTries> TryStoreAsync(
        QueueMessage message, Func<ReceivedWebhook, CancellationToken, Task<EventRow?>> read, CancellationToken cancellationToken)
    {
        var tries = new MessageTries(message, lines, logger);
        var content = Envelope.Read(message.Body.ToString());
        if (content.Problem is { } problem)
        {
            await tries.AddAsync(null, () => deadLetters.KeepUnreadableAsync(message, problem, cancellationToken), cancellationToken);
            return tries;
        }

        var activities = StartActivities(content.Entries);
        try
        {
            var batch = await ReadAllAsync(message, content.Entries, read, tries, cancellationToken);
            await events.StoreAsync(batch, cancellationToken);
            foreach (var e in batch)
            {
                await tries.AddAsync(e.Webhook, () => SettleAsync(e, cancellationToken), cancellationToken);
            }
        }
        finally
        {
            activities.ForEach(activity => activity?.Dispose());
        }

        return tries;
    }

    /// <summary>Reads the events in a message, in order; what cannot be read becomes a dead letter.</summary>
    private async Task<IReadOnlyList<EventRow>> ReadAllAsync(
        QueueMessage message,
        IReadOnlyList<EnvelopeEntry> entries,
        Func<ReceivedWebhook, CancellationToken, Task<EventRow?>> read,
        MessageTries tries,
        CancellationToken cancellationToken)
    {
        var rows = new EventRow?[entries.Count];
        var neighbour = entries.FirstOrDefault(entry => entry.Webhook is not null)?.Webhook;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, entries.Count),
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var (webhook, json) = entries[i];
                await tries.AddAsync(
                    webhook,
                    async () =>
                    {
                        if (webhook is not null)
                        {
                            // An earlier try may have crashed the process before it could touch the body for the sweep.
                            await (message.DequeueCount > 1 && webhook.Blob is { } blob
                                ? blobs.TouchAsync(blob, token)
                                : Task.CompletedTask);
                            rows[i] = await read(webhook, token);
                        }
                        else
                        {
                            const string Error = "This webhook in the message cannot be read.";
                            await deadLetters.KeepUnreadableAsync(message, i, neighbour, json, Error, token);
                        }
                    },
                    token);
            });
        return [.. rows.OfType<EventRow>()];
    }

    /// <summary>Reads the event in a webhook; null if it became a dead letter.</summary>
    private async Task<EventRow?> ReadAsync(ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        if (await StoredBody.Of(webhook).ReadAsync(blobs, cancellationToken) is not { } body)
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.BlobMissing, "The blob with the body is gone.", cancellationToken);
        }
        else if (EmailEvent.TryParse(body, out var emailEvent, out var problem))
        {
            return EventRow.New(emailEvent, webhook);
        }
        else if (problem == BodyProblem.NoEvent)
        {
            const string Error = "The body has no field 'event' with a value.";
            await deadLetters.KeepAsync(webhook, DeadLetterReason.NoEvent, Error, cancellationToken);
        }
        else
        {
            await deadLetters.KeepAsync(webhook, DeadLetterReason.Unparsable, $"The body cannot be read: {problem}.", cancellationToken);
        }

        return null;
    }

    private async Task SettleAsync(EventRow e, CancellationToken cancellationToken)
    {
        if (e.IsNew)
        {
            EventCounts.Add(metrics, e, time.GetUtcNow());
        }

        switch (e.Outcome)
        {
            case StoreOutcome.Duplicate:
                metrics.Duplicate();
                break;
            case StoreOutcome.Conflict:
                const string Error = "An event with the same id, name and recipient is already stored, with other values.";
                await deadLetters.KeepAsync(e.Webhook, DeadLetterReason.Conflict, Error, cancellationToken);
                break;
            case StoreOutcome.Failed when e.Failure is RequestFailedException refused && refused.IsForGood():
                var error = $"Storage refused a row: {StorageFailure.Describe(refused)}.";
                await deadLetters.KeepAsync(e.Webhook, DeadLetterReason.Refused, error, cancellationToken);
                break;
            case StoreOutcome.Failed:
                throw e.Failure!;
        }

        if (e.IsThere && e.Webhook.ReplayOf is { } replayOf)
        {
            await deadLetters.DropReplayedAsync(replayOf, cancellationToken);
        }
    }

    // Each is a child of the POST that brought its webhook, and is linked to the invocation that stores it with its neighbours.
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
}
