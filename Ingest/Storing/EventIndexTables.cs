using Azure.Data.Tables;
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
    public async Task DeleteByRecipientAsync(EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(
            emailEvent is null ? await SearchAsync(byRecipient, stored, cancellationToken) : EventIndex.ByRecipient(emailEvent, stored),
            cancellationToken,
            async (row, token) => await byRecipient.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: token));

    /// <summary>Reads an event's row by day as it is now. There are several only if older versions built other keys.</summary>
    /// <param name="emailEvent">Null if its body is gone. Then its row is searched for, which reads the whole table.</param>
    public async Task<IReadOnlyList<TableEntity>> ReadByDayAsync(
        EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken) =>
        emailEvent is null ? await SearchAsync(byDay, stored, cancellationToken)
            : await ReadByDayAsync(EventIndex.ByDay(emailEvent, stored), cancellationToken) is { } there ? [there]
            : [];

    /// <summary>Reads a row by day again; null if it is gone.</summary>
    public async Task<TableEntity?> ReadByDayAsync(TableEntity row, CancellationToken cancellationToken) =>
        await byDay.GetEntityIfExistsAsync<TableEntity>(
            row.PartitionKey, row.RowKey, cancellationToken: cancellationToken) is { HasValue: true } there ? there.Value : null;

    /// <summary>
    /// Deletes rows by day that have not changed since they were read. If one has, the event is back, and another run finds it by this row.
    /// </summary>
    public async Task DeleteByDayAsync(IEnumerable<TableEntity> read, CancellationToken cancellationToken)
    {
        foreach (var row in read)
        {
            await byDay.DeleteIfUnchangedAsync(row, cancellationToken);
        }
    }

    /// <summary>Deletes the rows of an event that is gone.</summary>
    /// <param name="dayRow">Its row by day, as it was read before the event was found to be gone.</param>
    public async Task DeleteLostAsync(TableEntity dayRow, CancellationToken cancellationToken)
    {
        var (partitionKey, rowKey) = (dayRow.GetString(ColumnNames.EventPartitionKey), dayRow.GetString(ColumnNames.EventRowKey));
        var e = EventIndex.EventOf(dayRow);
        var isSame = e is not null && (EventKeys.PartitionKey(e), EventKeys.RowKey(e)) == (partitionKey, rowKey);
        await DeleteByRecipientAsync(isSame ? e : null, new TableEntity(partitionKey, rowKey), cancellationToken);
        await DeleteByDayAsync([dayRow], cancellationToken);
    }

    private static async Task<List<TableEntity>> SearchAsync(TableClient index, TableEntity stored, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"EventPartitionKey eq {stored.PartitionKey} and EventRowKey eq {stored.RowKey}");
        return await index.RowsIfExistAsync(filter, ["PartitionKey", "RowKey"], cancellationToken).ToListAsync(cancellationToken);
    }
}
