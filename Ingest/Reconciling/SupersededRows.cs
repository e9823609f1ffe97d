using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>Removes rows that were filled in and whose webhook has come after all.</summary>
internal sealed class SupersededRows(TableServiceClient service, EventStore events, Recipients recipients, WebhookBlobs blobs)
{
    private readonly TableClient table = service.GetTableClient(EventStore.TableName);

    /// <summary>Removes an event with its index rows; what it said about its recipient is folded again.</summary>
    /// <returns>False if somebody else has removed or changed it.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<bool> RemoveAsync(StoredEntry entry, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            entry.EventPartitionKey, entry.EventRowKey, cancellationToken: cancellationToken);
        if (!stored.HasValue)
        {
            // A run that was cut short has left its row in the index.
            await events.DeleteLostAsync(new TableEntity(entry.DayPartitionKey, entry.DayRowKey), cancellationToken);
            await (entry.Group.Address.Length > 0 ? recipients.FoldAsync([entry.Group.Address], cancellationToken) : Task.CompletedTask);
            return false;
        }

        var row = stored.Value!;
        if (!row.TryGetValue(FilledIn.Source, out var source) || source is not FilledIn.Activity)
        {
            return false;
        }

        var e = await events.ReadAsync(row, cancellationToken);

        // Without the row, only a sweep that looks at it again deletes the blob.
        await (row.GetString(ColumnNames.BodyBlob) is { } blob ? blobs.TouchAsync(blob, cancellationToken) : Task.CompletedTask);
        try
        {
            if (!await events.DeleteAsync(e, row, row.ETag, cancellationToken))
            {
                return false;
            }
        }
        catch (RequestFailedException changed) when (changed.ErrorCode == TableErrorCode.UpdateConditionNotSatisfied)
        {
            return false;
        }

        await recipients.FoldAsync(e, row, cancellationToken);
        return true;
    }
}
