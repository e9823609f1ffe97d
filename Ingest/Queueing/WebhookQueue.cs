using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>The queue that holds every acknowledged webhook until its event is stored.</summary>
/// <param name="service">The storage account, without message encoding.</param>
/// <param name="blobs">Where a body goes that no message can hold.</param>
/// <param name="metrics">Told how many webhooks share a message.</param>
/// <param name="time">The clock.</param>
public sealed class WebhookQueue(QueueServiceClient service, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time)
{
    /// <summary>The queue's name.</summary>
    public const string Name = "smtp2go-webhooks";

    /// <summary>The name that the Functions host gives to the queue of messages that it gave up.</summary>
    public const string PoisonName = Name + "-poison";

    /// <summary>How message text is encoded: not at all, and <c>host.json</c> says the same of the trigger.</summary>
    public const QueueMessageEncoding MessageEncoding = QueueMessageEncoding.None;

    /// <summary>The most bytes of bodies that may wait for a blob and then for the queue; past it the next one is refused at once.</summary>
    public const int MaxSpilledBytes = 64 * 1024 * 1024;

    private const int MaxContentTypeLength = 200;

    // Azure's default would drop a message after seven days.
    private static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(-1);

    private readonly QueueClient queue = service.GetQueueClient(Name);
    private readonly GroupCommit groupCommit = CommitTo(service.GetQueueClient(Name), metrics, time);

    private long spilledBytes;

    /// <summary>Makes a webhook durable; returns when it is stored in the queue and not before.</summary>
    /// <param name="body">The exact bytes received.</param>
    /// <param name="contentType">The header as sent.</param>
    /// <param name="receivedAt">When it was received.</param>
    /// <param name="cancellationToken">Ends the try; the webhook may have been stored all the same.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    /// <exception cref="QueueOverloadedException">Too many webhooks wait for the queue already.</exception>
    public async Task EnqueueAsync(
        ReadOnlyMemory<byte> body, string? contentType, DateTimeOffset receivedAt, CancellationToken cancellationToken)
    {
        var webhook = new ReceivedWebhook(
            Guid.CreateVersion7(receivedAt).ToString("n"),
            receivedAt,
            contentType is { Length: > MaxContentTypeLength } ? contentType[..MaxContentTypeLength] : contentType,
            Body: null,
            Blob: null,
            Activity.Current?.Id);
        await EnqueueAsync(webhook, body, cancellationToken);
    }

    /// <summary>Makes a webhook durable that was received before.</summary>
    /// <param name="webhook">The webhook, its body aside.</param>
    /// <param name="body">Its exact bytes.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task EnqueueAsync(ReceivedWebhook webhook, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (EncodeInline(webhook, body.Span) is { } inline)
        {
            await groupCommit.AddAsync(inline, inline.Length, cancellationToken);
            return;
        }

        try
        {
            if (Interlocked.Add(ref spilledBytes, body.Length) > MaxSpilledBytes)
            {
                throw new QueueOverloadedException();
            }

            var encoded = Envelope.Encode(webhook with { Blob = await blobs.WriteAsync(body, cancellationToken) })
                ?? throw new UnreachableException("A webhook without its body exceeds the limit of a message.");

            // Two to a message at most: whoever stores a message reads all its bodies.
            await groupCommit.AddAsync(encoded, Envelope.MaxWebhookBytes, cancellationToken);
        }
        finally
        {
            Interlocked.Add(ref spilledBytes, -body.Length);
        }
    }

    /// <summary>Puts the text of a message, or of one webhook of it, back as it was.</summary>
    /// <param name="text">The text.</param>
    /// <param name="isEntry">True for one webhook of a message.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal Task EnqueueTextAsync(string text, bool isEntry, CancellationToken cancellationToken) =>
        SendAsync(queue, isEntry ? Envelope.Wrap(Encoding.UTF8.GetBytes(text)) : BinaryData.FromString(text), cancellationToken);

    /// <summary>Sends a message that never expires; makes the queue where it is missing, at no cost where it is there.</summary>
    internal static async Task SendAsync(QueueClient queue, BinaryData message, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync();
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await SendAsync();
        }

        Task SendAsync() => queue.SendMessageAsync(message, timeToLive: NeverExpires, cancellationToken: cancellationToken);
    }

    private static GroupCommit CommitTo(QueueClient queue, IngestMetrics metrics, TimeProvider time) =>
        new((batch, cancellationToken) => SendAsync(queue, Envelope.Wrap(batch), cancellationToken), metrics, time);

    private static byte[]? EncodeInline(ReceivedWebhook webhook, ReadOnlySpan<byte> body) =>
        body.Length <= Envelope.MaxWebhookBytes && Utf8.IsValid(body)
            ? Envelope.Encode(webhook with { Body = Encoding.UTF8.GetString(body) })
            : null;
}
