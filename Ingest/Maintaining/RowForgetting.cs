using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>What happened to a row that was searched for an address.</summary>
internal enum ForgetChange
{
    None,
    Redacted,
    Deleted,
}

/// <summary>
/// Forgets an address row by row. A row is written or deleted only if it has not changed since it was read; otherwise it is read and
/// checked again. The caller folds the recipients that contain the address at the end: only then it is as gone as it will be.
/// </summary>
internal sealed class RowForgetting(
    TableServiceClient service,
    EventStore events,
    Recipients recipients,
    DeadLetters letters,
    WebhookBlobs blobs,
    TouchedDays touched,
    AddressPattern address,
    bool dryRun)
{
    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient deadLetters = service.GetTableClient(DeadLetters.TableName);

    public Task<ForgetChange> ForgetEventAsync(TableEntity stored, CancellationToken cancellationToken) =>
        table.IfUnchangedAsync(stored, row => ForgetReadEventAsync(row, cancellationToken), ForgetChange.None, cancellationToken);

    public Task<ForgetChange> ForgetDeadLetterAsync(TableEntity letter, CancellationToken cancellationToken) =>
        deadLetters.IfUnchangedAsync(
            letter, row => ForgetReadDeadLetterAsync(row, cancellationToken), ForgetChange.None, cancellationToken);

    /// <summary>
    /// Forgets an index row that still contains the address: its event is gone, or a run was cut short before it got here.
    /// </summary>
    /// <returns>What happened to its event, and whether the index row had none.</returns>
    public async Task<(ForgetChange Change, bool IsOrphan)> ForgetIndexRowAsync(
        TableClient index, TableEntity row, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            row.GetString(ColumnNames.EventPartitionKey) ?? string.Empty,
            row.GetString(ColumnNames.EventRowKey) ?? string.Empty,
            cancellationToken: cancellationToken);
        if (dryRun)
        {
            return (ForgetChange.None, !stored.HasValue);
        }

        var change = stored.HasValue ? await ForgetEventAsync(stored.Value!, cancellationToken) : ForgetChange.None;
        if (!stored.HasValue || change != ForgetChange.None || !await IsIndexedAsync(index, row, stored.Value!, cancellationToken))
        {
            await touched.MarkAsync([row.RowKey], cancellationToken);
            await index.IfUnchangedAsync(
                row,
                async again =>
                {
                    var isIn = Redaction.IsIn(address, again);
                    await (isIn
                        ? index.DeleteEntityAsync(again.PartitionKey, again.RowKey, again.ETag, cancellationToken)
                        : Task.CompletedTask);
                    return isIn;
                },
                gone: false,
                cancellationToken);
            await (index.Name == EventIndex.ByRecipientTable && RecipientFold.IsStateEvent(row) && !address.IsIn(row.PartitionKey)
                ? recipients.FoldPartitionAsync(row.PartitionKey, cancellationToken)
                : Task.CompletedTask);
        }

        return (change, !stored.HasValue);
    }

    private async Task<ForgetChange> ForgetReadEventAsync(TableEntity row, CancellationToken cancellationToken)
    {
        // Without its body, an event is what its columns say.
        var ofBody = await events.ReadAsync(row, cancellationToken);
        if ((ofBody ?? Redaction.EventOf(row)) is not { } e || !Redaction.IsIn(address, e))
        {
            return ForgetChange.None;
        }

        if (Redaction.IsAboutOnly(address, e))
        {
            return dryRun || await events.DeleteAsync(ofBody, row, row.ETag, cancellationToken)
                ? ForgetChange.Deleted
                : await ForgetMovedAsync(e, row, cancellationToken);
        }

        if (!dryRun)
        {
            await RewriteAsync(row, ofBody, Redaction.Without(address, e), cancellationToken);
        }

        return ForgetChange.Redacted;
    }

    // It was already gone when it was to be deleted: `reparse` may have moved it to its new keys, which this run has already passed.
    private async Task<ForgetChange> ForgetMovedAsync(EmailEvent e, TableEntity row, CancellationToken cancellationToken)
    {
        var (partitionKey, rowKey) = (EventKeys.PartitionKey(e), EventKeys.RowKey(e));
        return (partitionKey, rowKey) != (row.PartitionKey, row.RowKey)
            && await table.GetEntityIfExistsAsync<TableEntity>(
                partitionKey, rowKey, cancellationToken: cancellationToken) is { HasValue: true } moved
            ? await ForgetEventAsync(moved.Value!, cancellationToken)
            : ForgetChange.None;
    }

    private async Task RewriteAsync(TableEntity row, EmailEvent? old, EmailEvent without, CancellationToken cancellationToken)
    {
        var body = await StoredBody.WriteAsync(WebhookBody.ToJson(without.Fields), blobs, cancellationToken);
        var webhook = EventRow.WebhookOf(row) with { ContentType = "application/json", Body = body.Text, Blob = body.Blob };
        var rewritten = EventRow.New(without, webhook);
        rewritten.Row[ColumnNames.Redacted] = true;
        if (await events.RewriteAsync(rewritten, row, cancellationToken) == StoreOutcome.Conflict)
        {
            const string Error = "Without the forgotten address, this is another event with the same id, name and recipient.";
            await letters.KeepAsync(webhook, DeadLetterReason.Conflict, Error, cancellationToken);
        }

        var isMoved = (rewritten.Row.PartitionKey, rewritten.Row.RowKey) != (row.PartitionKey, row.RowKey);
        if (isMoved && !await events.DeleteAsync(old, row, row.ETag, cancellationToken) && rewritten.Row.ETag != default)
        {
            // Somebody else deleted or moved it in the meantime: it must not come back here.
            await events.DeleteAsync(without, rewritten.Row, rewritten.Row.ETag, cancellationToken);
        }

        // Its other recipients had both rows for a while.
        await (isMoved ? recipients.FoldAsync(without, row, cancellationToken) : Task.CompletedTask);
    }

    // If the event is as it should be, its index rows are rebuilt, not deleted.
    private async Task<bool> IsIndexedAsync(TableClient index, TableEntity row, TableEntity stored, CancellationToken cancellationToken)
    {
        if (await events.ReadAsync(stored, cancellationToken) is not { } e)
        {
            return false;
        }

        if (!EventIndex.Makes(e, stored, index.Name, row))
        {
            return false;
        }

        await events.ReindexAsync([EventRow.Of(e, stored)], cancellationToken);
        return true;
    }

    private async Task<ForgetChange> ForgetReadDeadLetterAsync(TableEntity row, CancellationToken cancellationToken)
    {
        if (await letters.ReadBodyAsync(row, cancellationToken) is not { } body)
        {
            return ForgetChange.None;
        }

        var isMessage = row.GetString(ColumnNames.Reason) == DeadLetterReason.Unreadable;
        var without = isMessage ? Redaction.WithoutInMessage(address, body.ToString()) : Redaction.Without(address, body);
        if (without is null)
        {
            return ForgetChange.None;
        }

        var isDeleted = without == AddressPattern.Mark
            || (!isMessage && EmailEvent.TryParse(body, out var e, out _) && Redaction.IsAboutOnly(address, e));
        if (!dryRun && isDeleted)
        {
            await deadLetters.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);
        }
        else if (!dryRun)
        {
            // One webhook becomes JSON if it could be read. A message, which may contain other people's webhooks, stays a message.
            if (!isMessage && without.StartsWith('{'))
            {
                row[ColumnNames.ContentType] = "application/json";
            }

            (await StoredBody.WriteAsync(without, blobs, cancellationToken)).SetOn(row);
            row[ColumnNames.Redacted] = true;
            await deadLetters.UpdateEntityAsync(row, row.ETag, TableUpdateMode.Replace, cancellationToken);
        }

        return isDeleted ? ForgetChange.Deleted : ForgetChange.Redacted;
    }
}
