using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Smtp2GoIngest.Storing;

/// <summary>Writes rows, those in one partition together, and says what happened to each row.</summary>
internal static class TableWrites
{
    // Per message; the trigger runs up to 24 messages in parallel.
    private const int MaxParallel = 16;

    // Only another maintenance run or a duplicate can change the row in between, and neither does so often.
    private const int MaxTries = 5;

    /// <summary>Tells whether storage will never accept this row, however often it is tried.</summary>
    /// <remarks>Missing rights, a missing table, throttling and time-outs pass or get fixed: they are not the row's fault.</remarks>
    public static bool IsForGood(this RequestFailedException e) =>
        e.Status is >= 400 and < 500 and not (401 or 403 or 404 or 408 or 409 or 429);

    /// <summary>Tells whether somebody else has written, or deleted, the row that this was about. Then it can be read again.</summary>
    /// <remarks>Others with the same status are about the table, such as <c>TableBeingDeleted</c>, and last longer.</remarks>
    public static bool IsOvertaken(this RequestFailedException e) =>
        e.ErrorCode is { } code
        && (code == TableErrorCode.EntityAlreadyExists
            || code == TableErrorCode.ResourceNotFound
            || code == TableErrorCode.UpdateConditionNotSatisfied);

    /// <summary>
    /// Runs an operation. If the table is missing, creates it and runs the operation again: an existing table costs nothing.
    /// </summary>
    public static async Task CreatingIfMissing(
        this TableClient table, Func<TableClient, Task> operation, CancellationToken cancellationToken)
    {
        try
        {
            await operation(table);
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
        {
            await table.CreateIfNotExistsAsync(cancellationToken);
            await operation(table);
        }
    }

    /// <summary>Acts on a row by its ETag. If it has changed in the meantime, reads it and acts on it again.</summary>
    /// <param name="gone">The result if the row is gone.</param>
    /// <exception cref="RequestFailedException">Storage failed, or the row changed again and again.</exception>
    public static async Task<T> IfUnchangedAsync<T>(
        this TableClient table, TableEntity row, Func<TableEntity, Task<T>> act, T gone, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await act(row);
            }
            catch (RequestFailedException e) when (e.Status is 404 or 409 or 412 && tries < MaxTries)
            {
                var again = await table.GetEntityIfExistsAsync<TableEntity>(
                    row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
                if (!again.HasValue)
                {
                    return gone;
                }

                row = again.Value!;
            }
        }
    }

    /// <summary>Deletes a row if it has not changed since it was read. Otherwise, or if it is gone, nothing happens.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public static async Task DeleteIfUnchangedAsync(this TableClient table, TableEntity row, CancellationToken cancellationToken)
    {
        try
        {
            await table.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 412)
        {
            // Somebody else has deleted or written it.
        }
    }

    /// <summary>Writes rows: those in one partition in one transaction, or one by one if the transaction is refused.</summary>
    /// <param name="table">The table.</param>
    /// <param name="type">What to do with each row.</param>
    /// <param name="rows">The rows. No key may appear twice.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>For each row the failure, or null if it is written.</returns>
    public static async Task<Exception?[]> WriteAsync(
        this TableClient table, TableTransactionActionType type, IReadOnlyList<TableEntity> rows, CancellationToken cancellationToken)
    {
        var failures = new Exception?[rows.Count];
        var chunks = Enumerable.Range(0, rows.Count).GroupBy(i => rows[i].PartitionKey).SelectMany(partition => Chunk(partition, rows));
        await Parallel.ForEachAsync(
            chunks,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (chunk, token) => await WriteAsync(table, type, rows, chunk, failures, token));
        return failures;
    }

    private static async Task WriteAsync(
        TableClient table,
        TableTransactionActionType type,
        IReadOnlyList<TableEntity> rows,
        List<int> chunk,
        Exception?[] failures,
        CancellationToken cancellationToken)
    {
        if (chunk.Count > 1)
        {
            try
            {
                await table.CreatingIfMissing(
                    t => t.SubmitTransactionAsync(chunk.Select(i => new TableTransactionAction(type, rows[i])), cancellationToken),
                    cancellationToken);
                return;
            }
            catch (RequestFailedException e) when (e.IsForGood() || e.ErrorCode == TableErrorCode.EntityAlreadyExists)
            {
                // One row is refused or is already there: each gets its own answer.
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                chunk.ForEach(i => failures[i] = e);
                return;
            }
        }

        foreach (var i in chunk)
        {
            try
            {
                await table.CreatingIfMissing(
                    t => type == TableTransactionActionType.Add
                        ? t.AddEntityAsync(rows[i], cancellationToken)
                        : t.UpsertEntityAsync(rows[i], TableUpdateMode.Replace, cancellationToken),
                    cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                failures[i] = e;
            }
        }
    }

    private static IEnumerable<List<int>> Chunk(IEnumerable<int> partition, IReadOnlyList<TableEntity> rows)
    {
        var chunk = new List<int>();
        var bytes = 0;
        foreach (var i in partition)
        {
            var size = TableLimits.SizeOf(rows[i]);
            if (chunk.Count == TableLimits.MaxTransactionRows || (chunk.Count > 0 && bytes + size > TableLimits.MaxTransactionBytes))
            {
                yield return chunk;
                (chunk, bytes) = ([], 0);
            }

            chunk.Add(i);
            bytes += size;
        }

        yield return chunk;
    }
}
