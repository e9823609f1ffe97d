using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>The queue that holds every acknowledged webhook until its event is stored.</summary>
public sealed class WebhookQueue
{
    public const string Name = "smtp2go-webhooks";

    /// <summary>Where the Functions host moves messages that it gave up on.</summary>
    public const string PoisonName = Name + "-poison";

    /// <summary>Must match <c>messageEncoding</c> in <c>host.json</c>.</summary>
    public const QueueMessageEncoding MessageEncoding = QueueMessageEncoding.None;

    /// <summary>
    /// The most bytes of bodies on their way to a blob and then to the queue. Past that, the next one is refused at once.
    /// </summary>
    public const int MaxSpilledBytes = 64 * 1024 * 1024;

    private const int MaxContentTypeLength = 200;

    // By default Azure would delete a message after seven days.
    private static readonly TimeSpan NeverExpires = TimeSpan.FromSeconds(-1);

    private readonly QueueClient queue;
    private readonly WebhookBlobs blobs;
    private readonly GroupCommit groupCommit;

    private long spilledBytes;

    /// <param name="service">Its clients must use <see cref="MessageEncoding"/>.</param>
    public WebhookQueue(QueueServiceClient service, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time)
    {
        queue = service.GetQueueClient(Name);
        this.blobs = blobs;
        groupCommit = new GroupCommit((batch, token) => SendAsync(queue, Envelope.Wrap(batch), token), metrics, time);
    }

    /// <summary>Enqueues a webhook that has just been received; returns only after it is in the queue.</summary>
    /// <param name="body">The exact bytes received.</param>
    /// <param name="cancellationToken">Ends the wait. The webhook may have been enqueued anyway.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    /// <exception cref="QueueOverloadedException">Too many webhooks are waiting already.</exception>
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

    /// <summary>Enqueues a webhook that was received before.</summary>
    /// <param name="webhook">Its own <c>Body</c> and <c>Blob</c> are ignored.</param>
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
                ?? throw new UnreachableException("A webhook without its body is too large for a message.");

            // At most two per message: storing a message reads all of its bodies.
            await groupCommit.AddAsync(encoded, Envelope.MaxWebhookBytes, cancellationToken);
        }
        finally
        {
            Interlocked.Add(ref spilledBytes, -body.Length);
        }
    }

    /// <summary>Puts the text of a message back as it was.</summary>
    /// <param name="isEntry">True if the text is only one webhook of a message.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal Task EnqueueTextAsync(string text, bool isEntry, CancellationToken cancellationToken) =>
        SendAsync(queue, isEntry ? Envelope.Wrap(Encoding.UTF8.GetBytes(text)) : BinaryData.FromString(text), cancellationToken);

    /// <summary>Sends a message that never expires. Creates the queue only if sending finds it missing.</summary>
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

    private static byte[]? EncodeInline(ReceivedWebhook webhook, ReadOnlySpan<byte> body) =>
        body.Length <= Envelope.MaxWebhookBytes && Utf8.IsValid(body)
            ? Envelope.Encode(webhook with { Body = Encoding.UTF8.GetString(body) })
            : null;
}
