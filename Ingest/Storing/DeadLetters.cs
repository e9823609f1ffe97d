using Azure;
using Azure.Data.Tables;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>
/// The table of what was acknowledged but cannot be stored as an event. A row is deleted only when its replay is stored, or when somebody
/// drops or forgets it. Every method throws <see cref="RequestFailedException"/> if storage fails.
/// </summary>
public sealed partial class DeadLetters(
    TableServiceClient service, WebhookBlobs blobs, IngestMetrics metrics, TimeProvider time, ILogger<DeadLetters> logger)
{
    /// <summary>The table's name.</summary>
    public const string TableName = "Smtp2GoDeadLetters";

    private readonly OneLineAMinute lines = new(time);
    private readonly TableClient table = service.GetTableClient(TableName);

    /// <summary>Keeps a webhook. If it was kept before, the first reason stays, unless this is its replay.</summary>
    /// <param name="reason">One of <see cref="DeadLetterReason"/>.</param>
    /// <returns>Its row, if that was written.</returns>
    public async Task<TableEntity?> KeepAsync(
        ReceivedWebhook webhook, string reason, string error, CancellationToken cancellationToken)
    {
        var row = NewRow(webhook, reason, error);
        if (webhook.ReplayOf is null && await ReadAsync(row, cancellationToken) is not null)
        {
            return null;
        }

        await WriteAsync(row, StoredBody.Of(webhook), cancellationToken);
        Report(row);
        return row;
    }

    /// <summary>Keeps a webhook first, and drops it again if it turns out to be stored: finding that out may crash the process.</summary>
    /// <param name="isStored">Asked again after it failed, but not after it crashed the process.</param>
    /// <exception cref="RequestFailedException">Storage failed. The row stays, and the next call asks again.</exception>
    internal async Task KeepUnlessStoredAsync(
        ReceivedWebhook webhook, string reason, string error, Func<Task<bool>> isStored, CancellationToken cancellationToken)
    {
        var row = NewRow(webhook, reason, error);
        if (await ReadAsync(row, cancellationToken) is { } there && there.GetBoolean(ColumnNames.IsAsking) is not false)
        {
            if (there.GetBoolean(ColumnNames.IsAsking) is true)
            {
                // The process of an earlier call ended before it could report.
                Report(row);
            }

            return;
        }

        await WriteAsync(isAsking: true);
        try
        {
            if (await isStored())
            {
                await DropAsync(row.PartitionKey, row.RowKey, cancellationToken);
                return;
            }
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            await WriteAsync(isAsking: false);
            throw;
        }

        await WriteAsync(isAsking: null);
        Report(row);

        Task WriteAsync(bool? isAsking)
        {
            row[ColumnNames.IsAsking] = isAsking;
            return this.WriteAsync(row, StoredBody.Of(webhook), cancellationToken);
        }
    }

    /// <summary>Keeps the text of a message that cannot be read, as it is.</summary>
    public Task KeepUnreadableAsync(QueueMessage message, string error, CancellationToken cancellationToken) =>
        KeepUnreadableAsync(
            message.InsertedOn ?? time.GetUtcNow(), message.MessageId, message.Body.ToString(), isEntry: false, error, cancellationToken);

    /// <summary>Keeps the text of one webhook that cannot be read, as it is.</summary>
    /// <param name="index">Which webhook in the message.</param>
    /// <param name="neighbour">A readable webhook in the message: the same in the poison queue, where everything else is new.</param>
    public Task KeepUnreadableAsync(
        QueueMessage message, int index, ReceivedWebhook? neighbour, string text, string error, CancellationToken cancellationToken) =>
        KeepUnreadableAsync(
            neighbour?.ReceivedAt ?? message.InsertedOn ?? time.GetUtcNow(),
            $"{neighbour?.Id ?? message.MessageId}-{index}",
            text,
            isEntry: true,
            error,
            cancellationToken);

    /// <summary>Puts a dead letter back into the queue. Its row is deleted when it is stored, and updated if that fails again.</summary>
    /// <returns>False if the blob with its body is gone, so that nothing is left to replay.</returns>
    public async Task<bool> ReplayAsync(TableEntity row, WebhookQueue queue, CancellationToken cancellationToken)
    {
        if (await ReadBodyAsync(row, cancellationToken) is not { } body)
        {
            return false;
        }

        if (row.GetString(ColumnNames.Reason) == DeadLetterReason.Unreadable)
        {
            // Nobody can tell whether an unreadable message was stored. If it fails again, it becomes a dead letter
            // again. Its bodies were written when the message first came, so the sweep could delete them before it is
            // stored.
            await DeadLetterBlobs.TouchAsync(row, blobs, cancellationToken);
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

    /// <summary>The exact bytes of a dead letter; null if their blob is gone.</summary>
    public Task<BinaryData?> ReadBodyAsync(TableEntity row, CancellationToken cancellationToken) =>
        StoredBody.Of(row).ReadAsync(blobs, cancellationToken);

    public Task DropAsync(string day, string rowKey, CancellationToken cancellationToken) =>
        table.DeleteEntityAsync(day, rowKey, cancellationToken: cancellationToken);

    /// <summary>Deletes the dead letter whose replay is stored.</summary>
    internal Task DropReplayedAsync(string replayOf, CancellationToken cancellationToken) =>
        replayOf.Split('/', 2) is [var day, var rowKey] ? DropAsync(day, rowKey, cancellationToken) : Task.CompletedTask;

    private static TableEntity NewRow(ReceivedWebhook webhook, string reason, string error)
    {
        var row = NewRow(webhook.ReceivedAt, webhook.Id, reason, error);
        row[ColumnNames.WebhookId] = TableLimits.Cut(webhook.Id, out _);
        row[ColumnNames.ContentType] = TableLimits.Cut(webhook.ContentType ?? string.Empty, out _);
        return row;
    }

    private static TableEntity NewRow(DateTimeOffset receivedAt, string id, string reason, string error) =>
        new(EventKeys.Day(receivedAt), EventKeys.ToKey($"{EventKeys.Time(receivedAt)}_{id}"))
        {
            [ColumnNames.ReceivedAt] = receivedAt,
            [ColumnNames.Reason] = reason,
            [ColumnNames.Error] = error,
        };

    private async Task KeepUnreadableAsync(
        DateTimeOffset at, string id, string text, bool isEntry, string error, CancellationToken cancellationToken)
    {
        var row = NewRow(at, id, DeadLetterReason.Unreadable, error);
        row[ColumnNames.IsEntry] = isEntry;
        if (await ReadAsync(row, cancellationToken) is null)
        {
            await WriteAsync(row, new StoredBody(text, null), cancellationToken);
            Report(row);
        }
    }

    private async Task<TableEntity?> ReadAsync(TableEntity row, CancellationToken cancellationToken)
    {
        var there = await table.GetEntityIfExistsAsync<TableEntity>(
            row.PartitionKey, row.RowKey, ["RowKey", ColumnNames.IsAsking], cancellationToken);
        return there.HasValue ? there.Value : null;
    }

    private async Task WriteAsync(TableEntity row, StoredBody body, CancellationToken cancellationToken)
    {
        try
        {
            await UpsertAsync(body.Text is { } text ? await StoredBody.WriteAsync(text, blobs, cancellationToken) : body);
        }
        catch (RequestFailedException e) when (body.Text is not null && e.IsForGood())
        {
            // Whatever the table refuses about the text, a blob accepts it.
            await UpsertAsync(await StoredBody.WriteToBlobAsync(body.Text, blobs, cancellationToken));
        }

        Task UpsertAsync(StoredBody stored)
        {
            stored.SetOn(row);
            return table.CreatingIfMissing(t => t.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellationToken), cancellationToken);
        }
    }

    private void Report(TableEntity row)
    {
        var reason = row.GetString(ColumnNames.Reason);
        metrics.DeadLettered(reason);
        if (lines.IsDue(reason, out var count))
        {
            Log.Kept(logger, count, reason, row.PartitionKey, row.RowKey);
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
