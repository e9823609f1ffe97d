using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Rebuilds rows from what they were built from. Both ways are safe to interrupt and run again.</summary>
public sealed class Rebuild(
    TableServiceClient service,
    EventStore events,
    Recipients recipients,
    DeadLetters letters,
    TouchedDays touched,
    DayCounting counting,
    StorageClock clock)
{
    private const int MaxParallel = 16;

    // The row of DaysTable.Progress that is there until a reparse has ended well.
    private const string Reparsing = "reparse";

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient days = service.GetTableClient(DaysTable.TableName);

    private enum Reparsed
    {
        Unchanged,
        Changed,
        Moved,
    }

    /// <summary>
    /// Rebuilds the index tables from <c>Smtp2GoEvents</c>, and deletes index rows that belong to no event: the event is gone, or an
    /// older version built other keys. Then it folds every recipient.
    /// </summary>
    /// <returns>How many events were indexed.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> ReindexAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var started = await clock.PassedAsync(cancellationToken);
        var count = 0L;
        await foreach (var page in table.QueryIfExistsAsync(null, null, cancellationToken))
        {
            var read = await Task.WhenAll(page.Values.Select(async row =>
                await events.ReadAsync(row, cancellationToken) is { } e ? EventRow.Of(e, row) : null));
            await events.ReindexAsync([.. read.OfType<EventRow>()], cancellationToken);
            count += page.Values.Count;
            progress?.Report(count);
        }

        // Rows that were just written need no check.
        await DeleteStrayAsync(TableClient.CreateQueryFilter($"Timestamp lt {started}"), cancellationToken);
        await recipients.RebuildAsync(cancellationToken);
        await counting.CountTouchedAsync(cancellationToken);
        return count;
    }

    /// <summary>
    /// Rebuilds each row's columns from its stored body, for example after a parser fix. If its keys change, the row moves.
    /// </summary>
    /// <returns>How many rows changed.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> ReparseAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var wasCutShort = (await days.GetEntityIfExistsAsync<TableEntity>(
            DaysTable.Progress, Reparsing, cancellationToken: cancellationToken)).HasValue;
        var begun = new TableEntity(DaysTable.Progress, Reparsing);
        await days.CreatingIfMissing(
            async t => begun.ETag =
                (await t.UpsertEntityAsync(begun, TableUpdateMode.Replace, cancellationToken)).Headers.ETag ?? default,
            cancellationToken);
        var (count, changed, moved) = (0L, 0L, 0L);
        await foreach (var page in table.QueryIfExistsAsync(null, null, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                var reparsed = await table.IfUnchangedAsync(
                    row, read => ReparseAsync(read, cancellationToken), Reparsed.Unchanged, cancellationToken);
                changed += reparsed == Reparsed.Unchanged ? 0 : 1;
                moved += reparsed == Reparsed.Moved ? 1 : 0;
            }

            count += page.Values.Count;
            progress?.Report(count);
        }

        if (moved > 0)
        {
            // Deletes what a moved row left in the index.
            await DeleteStrayAsync(null, cancellationToken);
            await recipients.RefreshAsync(cancellationToken);
        }

        if (wasCutShort)
        {
            // The rows that the other run changed last look right by now. What is built from them may not be.
            await ReindexAsync(progress, cancellationToken);
        }

        // If it has changed, another reparse has begun since, and has not ended.
        await days.DeleteIfUnchangedAsync(begun, cancellationToken);
        await counting.CountTouchedAsync(cancellationToken);
        return changed;
    }

    private async Task<Reparsed> ReparseAsync(TableEntity row, CancellationToken cancellationToken)
    {
        if (await events.ReadAsync(row, cancellationToken) is not { } emailEvent)
        {
            return Reparsed.Unchanged;
        }

        var rebuilt = EventRow.New(emailEvent, EventRow.WebhookOf(row));
        if (row.TryGetValue(ColumnNames.Redacted, out var redacted))
        {
            rebuilt.Row[ColumnNames.Redacted] = redacted;
        }

        if (Describe(rebuilt.Row).SequenceEqual(Describe(row)))
        {
            return Reparsed.Unchanged;
        }

        TableEntity? kept = null;
        if (await events.RewriteAsync(rebuilt, row, cancellationToken) == StoreOutcome.Conflict)
        {
            const string Error = "Parsed again, this is another event with the same id, name and recipient.";
            kept = await letters.KeepAsync(rebuilt.Webhook, DeadLetterReason.Conflict, Error, cancellationToken);
        }

        if ((rebuilt.Row.PartitionKey, rebuilt.Row.RowKey) == (row.PartitionKey, row.RowKey))
        {
            return Reparsed.Changed;
        }

        try
        {
            using var deleted = await table.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);
            if (deleted.IsError)
            {
                await TakeBackAsync(rebuilt, kept, cancellationToken);
                return Reparsed.Unchanged;
            }
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.UpdateConditionNotSatisfied)
        {
            await TakeBackAsync(rebuilt, kept, cancellationToken);
            throw;
        }

        return Reparsed.Moved;
    }

    // Forgotten or changed while it was parsed again: what was built from the old row must not stay.
    private async Task TakeBackAsync(EventRow rebuilt, TableEntity? kept, CancellationToken cancellationToken)
    {
        if (kept is not null)
        {
            await letters.DropAsync(kept.PartitionKey, kept.RowKey, cancellationToken);
        }

        if (rebuilt.Row.ETag != default)
        {
            await events.DeleteAsync(rebuilt.Event, rebuilt.Row, rebuilt.Row.ETag, cancellationToken);
            await recipients.FoldAsync(rebuilt.Event, rebuilt.Row, cancellationToken);
        }
    }

    private static IEnumerable<(string, object)> Describe(TableEntity row) => row
        .Where(property => property.Key is not ("Timestamp" or "odata.etag"))
        .OrderBy(property => property.Key, StringComparer.Ordinal)
        .Select(property => (property.Key, property.Value));

    // An event's own row is written before its index rows, so an index row without one has lost its event.
    private async Task DeleteStrayAsync(string? filter, CancellationToken cancellationToken)
    {
        string[] columns = ["PartitionKey", "RowKey", ColumnNames.EventPartitionKey, ColumnNames.EventRowKey];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken };
        foreach (var index in new[] { service.GetTableClient(EventIndex.ByDayTable), service.GetTableClient(EventIndex.ByRecipientTable) })
        {
            await foreach (var page in index.QueryIfExistsAsync(filter, columns, cancellationToken))
            {
                await Parallel.ForEachAsync(page.Values, parallel, async (row, token) =>
                {
                    // One that is written in the meantime belongs to an event that has come again.
                    await index.IfUnchangedAsync(row, async read => await DeleteIfStrayAsync(index, read, token), gone: false, token);
                });
            }
        }
    }

    private async Task<bool> DeleteIfStrayAsync(TableClient index, TableEntity row, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            row.GetString(ColumnNames.EventPartitionKey) ?? string.Empty,
            row.GetString(ColumnNames.EventRowKey) ?? string.Empty,
            cancellationToken: cancellationToken);

        // If an event's body is gone, nobody can tell which rows belong to it.
        var isStray = !stored.HasValue
            || (await events.ReadAsync(stored.Value!, cancellationToken) is { } e && !EventIndex.Makes(e, stored.Value!, index.Name, row));
        await touched.MarkAsync(isStray ? [row.RowKey] : [], cancellationToken);
        return isStray && !(await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken)).IsError;
    }
}
