using Azure;
using Azure.Data.Tables;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>
/// The table of what was acknowledged and cannot be stored as an event. A row goes only when its replay is stored, or when somebody drops
/// or forgets it.
/// </summary>
public sealed partial class DeadLetters(
    TableServiceClient service, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time, ILogger<DeadLetters> logger)
{
    /// <summary>The table's name.</summary>
    public const string TableName = "Smtp2GoDeadLetters";

    private readonly OneLineAMinute lines = new(time);
    private readonly TableClient table = service.GetTableClient(TableName);

    /// <summary>Keeps a webhook. A second call for the same webhook writes the same row.</summary>
    /// <param name="reason">One of <see cref="DeadLetterReason"/>.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task KeepAsync(ReceivedWebhook webhook, string reason, string error, CancellationToken cancellationToken)
    {
        var row = NewRow(webhook.ReceivedAt, webhook.Id, reason, error);
        row[ColumnNames.WebhookId] = TableLimits.Cut(webhook.Id, out _);
        row[ColumnNames.ContentType] = TableLimits.Cut(webhook.ContentType ?? string.Empty, out _);
        return WriteAsync(row, StoredBody.Of(webhook), cancellationToken);
    }

    /// <summary>Keeps a message, or one webhook of it, that cannot be read: its text as it is.</summary>
    /// <param name="index">Which webhook of the message; null for the message as a whole.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task KeepUnreadableAsync(QueueMessage message, int? index, string text, string error, CancellationToken cancellationToken)
    {
        var id = index is { } i ? $"{message.MessageId}-{i}" : message.MessageId;
        var row = NewRow(message.InsertedOn ?? time.GetUtcNow(), id, DeadLetterReason.Unreadable, error);
        row[ColumnNames.IsEntry] = index is not null;
        return WriteAsync(row, new StoredBody(text, null), cancellationToken);
    }

    /// <summary>Puts a dead letter back into the queue. Its row goes when it is stored, and is updated when that fails again.</summary>
    /// <returns>False where the blob with its body is gone, so that nothing is left to replay.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<bool> ReplayAsync(TableEntity row, WebhookQueue queue, CancellationToken cancellationToken)
    {
        if (await ReadBodyAsync(row, cancellationToken) is not { } body)
        {
            return false;
        }

        if (row.GetString(ColumnNames.Reason) == DeadLetterReason.Unreadable)
        {
            // Of what cannot be read nobody can say that it was stored; if it fails again it is a dead letter again.
            await queue.EnqueueTextAsync(body.ToString(), row.GetBoolean(ColumnNames.IsEntry) == true, cancellationToken);
            await DropAsync(row.PartitionKey, row.RowKey, cancellationToken);
            return true;
        }

        var webhook = new ReceivedWebhook(
            row.GetString(ColumnNames.WebhookId),
            row.GetDateTimeOffset(ColumnNames.ReceivedAt)!.Value,
            row.GetString(ColumnNames.ContentType),
            Body: null,
            Blob: null,
            ReplayOf: $"{row.PartitionKey}/{row.RowKey}");
        await queue.EnqueueAsync(webhook, body, cancellationToken);
        return true;
    }

    /// <summary>The exact bytes of a dead letter; null where their blob is gone.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task<BinaryData?> ReadBodyAsync(TableEntity row, CancellationToken cancellationToken) =>
        StoredBody.Of(row).ReadAsync(blobs, cancellationToken);

    /// <summary>Deletes a dead letter; its blob is swept when nothing else refers to it.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public Task DropAsync(string day, string rowKey, CancellationToken cancellationToken) =>
        table.DeleteEntityAsync(day, rowKey, cancellationToken: cancellationToken);

    /// <summary>A replay is stored: the dead letter that it came from goes.</summary>
    internal Task DropReplayedAsync(string replayOf, CancellationToken cancellationToken) =>
        replayOf.Split('/', 2) is [var day, var rowKey] ? DropAsync(day, rowKey, cancellationToken) : Task.CompletedTask;

    private static TableEntity NewRow(DateTimeOffset receivedAt, string id, string reason, string error) =>
        new(EventKeys.Day(receivedAt), EventKeys.ToKey($"{EventKeys.Time(receivedAt)}_{id}"))
        {
            [ColumnNames.ReceivedAt] = receivedAt,
            [ColumnNames.Reason] = reason,
            [ColumnNames.Error] = error,
        };

    private async Task WriteAsync(TableEntity row, StoredBody body, CancellationToken cancellationToken)
    {
        try
        {
            await UpsertAsync(body.Text is { } text ? await StoredBody.WriteAsync(text, blobs, cancellationToken) : body);
        }
        catch (RequestFailedException e) when (body.Text is not null && e.IsForGood())
        {
            // Whatever the table refuses in the text, a blob takes it.
            await UpsertAsync(await StoredBody.WriteToBlobAsync(body.Text, blobs, cancellationToken));
        }

        var reason = row.GetString(ColumnNames.Reason);
        metrics.DeadLettered(reason);
        if (lines.IsDue(reason, out var count))
        {
            Log.Kept(logger, count, reason, row.PartitionKey, row.RowKey);
        }

        Task UpsertAsync(StoredBody stored)
        {
            stored.SetOn(row);
            return table.CreatingIfMissing(t => t.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellationToken), cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            300,
            LogLevel.Warning,
            "{Count} dead letters ({Reason}) since the last such line. The last one is in Smtp2GoDeadLetters and says why: day {Day}, row "
            + "{RowKey}.")]
        public static partial void Kept(ILogger logger, long count, string reason, string day, string rowKey);
    }
}
