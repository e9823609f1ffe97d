using System.Text;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>Why something acknowledged became a dead letter; the texts stand in the column <c>Reason</c>.</summary>
public static class DeadLetterReason
{
    /// <summary>The body is neither a form nor a JSON object that can be read.</summary>
    public const string Unparsable = "unparsable";

    /// <summary>The body is sound but names no event.</summary>
    public const string NoEvent = "no-event";

    /// <summary>The blob that held the body is gone.</summary>
    public const string BlobMissing = "blob-missing";

    /// <summary>Table storage refuses the row for good.</summary>
    public const string Refused = "refused";

    /// <summary>An event of the same identity is stored and says something else.</summary>
    public const string Conflict = "conflict";

    /// <summary>The message, or one webhook in it, is none of this app's, or of another version.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Storing failed so often that the host gave the message up.</summary>
    public const string Poison = "poison";
}

/// <summary>The table of what was acknowledged and cannot be stored as an event; a row goes only when its replay is stored, or when somebody drops or forgets it.</summary>
/// <param name="service">The storage account.</param>
/// <param name="blobs">Where a body goes that no row can hold.</param>
/// <param name="metrics">Counts dead letters.</param>
/// <param name="time">The clock, for a message without an insertion time.</param>
/// <param name="logger">Reports each dead letter.</param>
public sealed partial class DeadLetters(
    TableServiceClient service, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time, ILogger<DeadLetters> logger)
{
    /// <summary>The table's name.</summary>
    public const string TableName = "Smtp2GoDeadLetters";

    private const string IsEntry = "IsEntry";

    private readonly TableClient table = service.GetTableClient(TableName);

    /// <summary>Keeps a webhook. A second call for the same webhook writes the same row.</summary>
    /// <param name="webhook">The webhook.</param>
    /// <param name="reason">One of <see cref="DeadLetterReason"/>.</param>
    /// <param name="error">What went wrong, without any of the body.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task KeepAsync(ReceivedWebhook webhook, string reason, string error, CancellationToken cancellationToken)
    {
        var row = NewRow(webhook.ReceivedAt, webhook.Id, reason, error);
        row["WebhookId"] = EventColumns.Cut(webhook.Id, out _);
        row["ContentType"] = EventColumns.Cut(webhook.ContentType ?? string.Empty, out _);
        if (webhook.Blob is { } blob)
        {
            row["BodyBlob"] = blob;
        }

        return WriteAsync(row, webhook.Body, reason, cancellationToken);
    }

    /// <summary>Keeps a message, or one webhook of it, that cannot be read: its text as it is.</summary>
    /// <param name="message">The message.</param>
    /// <param name="index">Which webhook of the message; null for the message as a whole.</param>
    /// <param name="text">The text to keep.</param>
    /// <param name="error">What went wrong.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task KeepUnreadableAsync(QueueMessage message, int? index, string text, string error, CancellationToken cancellationToken)
    {
        var id = index is { } i ? $"{message.MessageId}-{i}" : message.MessageId;
        var row = NewRow(message.InsertedOn ?? time.GetUtcNow(), id, DeadLetterReason.Unreadable, error);
        row[IsEntry] = index is not null;
        return WriteAsync(row, text, DeadLetterReason.Unreadable, cancellationToken);
    }

    /// <summary>Puts a dead letter back into the queue. Its row goes when the event is stored, and is updated when that fails again.</summary>
    /// <param name="row">A row of <see cref="TableName"/>.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>False where the blob with its body is gone, so that nothing is left to replay.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<bool> ReplayAsync(TableEntity row, WebhookQueue queue, CancellationToken cancellationToken)
    {
        if (await ReadBodyAsync(row, cancellationToken) is not { } body)
        {
            return false;
        }

        if (row.GetString("Reason") == DeadLetterReason.Unreadable)
        {
            // Of what cannot be read nobody can say that it was stored; if it fails again it is a dead letter again.
            await queue.EnqueueTextAsync(body.ToString(), row.GetBoolean(IsEntry) == true, cancellationToken);
            await DropAsync(row.PartitionKey, row.RowKey, cancellationToken);
            return true;
        }

        var webhook = new ReceivedWebhook(
            row.GetString("WebhookId"),
            row.GetDateTimeOffset("ReceivedAt")!.Value,
            row.GetString("ContentType"),
            Body: null,
            Blob: null,
            ReplayOf: $"{row.PartitionKey}/{row.RowKey}");
        await queue.EnqueueAsync(webhook, body, cancellationToken);
        return true;
    }

    /// <summary>The exact bytes of a dead letter; null where their blob is gone.</summary>
    /// <param name="row">A row of <see cref="TableName"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<BinaryData?> ReadBodyAsync(TableEntity row, CancellationToken cancellationToken) =>
        row.GetString("Body") is { } text ? BinaryData.FromString(text)
        : row.GetString("BodyBlob") is { } blob ? await blobs.ReadAsync(blob, cancellationToken)
        : null;

    /// <summary>Deletes a dead letter; its blob is swept when nothing else refers to it.</summary>
    /// <param name="day">The partition key.</param>
    /// <param name="rowKey">The row key.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task DropAsync(string day, string rowKey, CancellationToken cancellationToken) =>
        table.DeleteEntityAsync(day, rowKey, cancellationToken: cancellationToken);

    /// <summary>A replay is stored: the dead letter that it came from goes.</summary>
    internal Task DropReplayedAsync(string replayOf, CancellationToken cancellationToken) =>
        replayOf.Split('/', 2) is [var day, var rowKey] ? DropAsync(day, rowKey, cancellationToken) : Task.CompletedTask;

    private static TableEntity NewRow(DateTimeOffset receivedAt, string id, string reason, string error) =>
        new(EventKeys.Day(receivedAt), EventKeys.ToKey($"{EventKeys.Time(receivedAt)}_{id}"))
        {
            ["ReceivedAt"] = receivedAt,
            ["Reason"] = reason,
            ["Error"] = error,
        };

    private async Task WriteAsync(TableEntity row, string? body, string reason, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(row, body, inline: body is { Length: <= EventColumns.MaxTextLength }, cancellationToken);
        }
        catch (RequestFailedException e) when (body is not null && e.IsForGood())
        {
            // Whatever the table refuses in the text, a blob takes it.
            await WriteAsync(row, body, inline: false, cancellationToken);
        }

        metrics.DeadLettered(reason);
        Log.Kept(logger, reason, row.PartitionKey, row.RowKey);
    }

    private async Task WriteAsync(TableEntity row, string? body, bool inline, CancellationToken cancellationToken)
    {
        row.Remove("Body");
        if (inline)
        {
            row["Body"] = body;
        }
        else if (body is not null)
        {
            row["BodyBlob"] = await blobs.WriteAsync(Encoding.UTF8.GetBytes(body), cancellationToken);
        }

        await table.CreatingIfMissing(t => t.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellationToken), cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Warning, "Dead letter ({Reason}): day {Day}, row {RowKey} in Smtp2GoDeadLetters says why.")]
        public static partial void Kept(ILogger logger, string reason, string day, string rowKey);
    }
}
