using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>The two index tables of <see cref="EventStore"/>.</summary>
internal sealed class EventIndexTables(TableServiceClient service)
{
    private readonly TableClient byRecipient = service.GetTableClient(EventIndex.ByRecipientTable);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <summary>Writes the index rows of events. If one row cannot be written, its event has failed.</summary>
    public async Task WriteAsync(IReadOnlyList<EventRow> events, CancellationToken cancellationToken)
    {
        // The row by day comes last: a purge finds the others through it, even those that were written while it ran.
        await UpsertAsync(byRecipient, e => EventIndex.ByRecipient(e.Event, e.Row));
        await UpsertAsync(byDay, e => [EventIndex.ByDay(e.Event, e.Row)]);

        async Task UpsertAsync(TableClient index, Func<EventRow, IEnumerable<TableEntity>> rowsOf)
        {
            var rows = events.SelectMany(e => rowsOf(e).Select(row => (Event: e, Row: row)))
                .DistinctBy(indexed => (indexed.Row.PartitionKey, indexed.Row.RowKey))
                .ToList();
            var failures = await index.WriteAsync(
                TableTransactionActionType.UpsertReplace, [.. rows.Select(indexed => indexed.Row)], cancellationToken);
            foreach (var (indexed, failure) in rows.Zip(failures))
            {
                if (failure is not null)
                {
                    indexed.Event.Fail(failure);
                }
            }
        }
    }

    /// <summary>Deletes an event's rows by recipient.</summary>
    /// <param name="emailEvent">Null if its body is gone. Then its rows are searched for, which reads the whole table.</param>
    public Task DeleteByRecipientAsync(EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken) =>
        DeleteAsync(byRecipient, emailEvent is null ? null : EventIndex.ByRecipient(emailEvent, stored), stored, cancellationToken);

    /// <summary>Deletes an event's row by day.</summary>
    /// <param name="emailEvent">Null if its body is gone. Then its row is searched for, which reads the whole table.</param>
    public Task DeleteByDayAsync(EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken) =>
        DeleteAsync(byDay, emailEvent is null ? null : [EventIndex.ByDay(emailEvent, stored)], stored, cancellationToken);

    /// <summary>Deletes the rows of an event that is gone.</summary>
    /// <param name="dayRow">Its row by day; nothing happens if that is gone too.</param>
    public async Task DeleteLostAsync(TableEntity dayRow, CancellationToken cancellationToken)
    {
        var there = await byDay.GetEntityIfExistsAsync<TableEntity>(
            dayRow.PartitionKey, dayRow.RowKey, cancellationToken: cancellationToken);
        if (!there.HasValue)
        {
            return;
        }

        var row = there.Value!;
        var (partitionKey, rowKey) = (row.GetString(ColumnNames.EventPartitionKey), row.GetString(ColumnNames.EventRowKey));
        var e = EventIndex.EventOf(row);
        var isSame = e is not null && (EventKeys.PartitionKey(e), EventKeys.RowKey(e)) == (partitionKey, rowKey);
        await DeleteByRecipientAsync(isSame ? e : null, new TableEntity(partitionKey, rowKey), cancellationToken);
        try
        {
            await byDay.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);
        }
        catch (RequestFailedException failed) when (failed.ErrorCode == TableErrorCode.UpdateConditionNotSatisfied)
        {
            // Written in the meantime: the event is back, and another run finds it by this row.
        }
    }

    private static async Task DeleteAsync(
        TableClient index, IEnumerable<TableEntity>? rows, TableEntity stored, CancellationToken cancellationToken)
    {
        if (rows is null)
        {
            var filter = TableClient.CreateQueryFilter($"EventPartitionKey eq {stored.PartitionKey} and EventRowKey eq {stored.RowKey}");
            rows = await index.RowsIfExistAsync(filter, ["PartitionKey", "RowKey"], cancellationToken).ToListAsync(cancellationToken);
        }

        await Parallel.ForEachAsync(
            rows,
            cancellationToken,
            async (row, token) => await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: token));
    }
}
