using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;

namespace Smtp2GoIngest.Storing;

/// <summary>Keeps the row of one address equal to the fold of its rows in the index, whoever else does so at the same time.</summary>
/// <remarks>
/// A fold reads the row first, then the index, and writes only if the row has not changed since. Then it reads the index again, until
/// nothing is left to write: in the meantime somebody may have changed the index and found that the old row was right. So whoever writes
/// last has seen all that was there at the time, and whoever changes the index later sees what was written.
/// </remarks>
internal sealed class RecipientRow(TableClient table, TableClient byRecipient)
{
    /// <summary>The partition for addresses without a domain, such as telephone numbers.</summary>
    public const string NoDomain = "no-domain";

    // Each time, somebody else has written the row or changed the index, and will have seen much the same events.
    private const int MaxTries = 5;

    /// <param name="partition">Of the address in the index; here it is the row key.</param>
    /// <exception cref="RequestFailedException">Storage failed, or the row changed again and again.</exception>
    public async Task FoldAsync(string partition, CancellationToken cancellationToken) =>
        await FoldAsync(partition, await FindAsync(partition, cancellationToken), cancellationToken);

    /// <param name="partition">Of the address in the index.</param>
    /// <param name="row">As it was read before this call; null if there was none.</param>
    /// <exception cref="RequestFailedException">Storage failed, or the row changed again and again.</exception>
    public async Task FoldAsync(string partition, TableEntity? row, CancellationToken cancellationToken)
    {
        for (var tries = 0; await ReadAsync(partition, cancellationToken) is var state && state != RecipientState.Of(row); tries++)
        {
            if (tries == MaxTries)
            {
                throw new RequestFailedException(409, "The row of a recipient changed again and again.");
            }

            try
            {
                row = await WriteAsync(partition, row, state, cancellationToken);
            }
            catch (RequestFailedException e) when (e.IsOvertaken())
            {
                row = await FindAsync(partition, cancellationToken);
            }
        }
    }

    private async Task<TableEntity?> FindAsync(string partition, CancellationToken cancellationToken) =>
        await table.GetEntityIfExistsAsync<TableEntity>(
            DomainOf(partition), partition, cancellationToken: cancellationToken) is { HasValue: true } found
            ? found.Value
            : null;

    private async Task<RecipientState?> ReadAsync(string partition, CancellationToken cancellationToken)
    {
        var fold = new RecipientFold();
        await foreach (var row in RowsAsync([RecipientFold.Filter(partition)], cancellationToken))
        {
            // They come last, but count as the oldest. Hardly any address has one.
            if (RecipientFold.IsTimeless(row))
            {
                fold = new RecipientFold();
                await foreach (var again in RowsAsync(RecipientFold.Filters(partition), cancellationToken))
                {
                    fold.Add(again);
                }

                break;
            }

            fold.Add(row);
        }

        return fold.State;
    }

    private async IAsyncEnumerable<TableEntity> RowsAsync(
        IEnumerable<string> filters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var filter in filters)
        {
            await foreach (var row in byRecipient.RowsIfExistAsync(filter, RecipientFold.Columns, cancellationToken))
            {
                yield return row;
            }
        }
    }

    /// <returns>The row as it is now; null if it is gone.</returns>
    private async Task<TableEntity?> WriteAsync(
        string partition, TableEntity? read, RecipientState? state, CancellationToken cancellationToken)
    {
        if (state is null)
        {
            await table.DeleteEntityAsync(read!.PartitionKey, read.RowKey, read.ETag, cancellationToken);
            return null;
        }

        var row = state.ToRow(DomainOf(partition), partition);
        if (read is not null)
        {
            var updated = await table.UpdateEntityAsync(row, read.ETag, TableUpdateMode.Replace, cancellationToken);
            row.ETag = updated.Headers.ETag ?? default;
            return row;
        }

        await table.CreatingIfMissing(
            async t => row.ETag = (await t.AddEntityAsync(row, cancellationToken)).Headers.ETag ?? default, cancellationToken);
        return row;
    }

    /// <summary>The partition of an address here, from its partition in the index: that alone is enough to find its row.</summary>
    public static string DomainOf(string partition) =>
        partition[(partition.LastIndexOf('@') + 1)..] is { Length: > 0 } domain && domain != partition ? domain : NoDomain;
}
