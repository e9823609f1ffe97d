using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Smtp2GoIngest.Storing;

/// <summary>Reads tables page by page.</summary>
internal static class TableQueries
{
    /// <summary>The pages of a query, each with a thousand rows at most; none if the table does not exist yet.</summary>
    /// <exception cref="RequestFailedException">Storage failed, or the table was deleted halfway through.</exception>
    public static IAsyncEnumerable<Page<TableEntity>> QueryIfExistsAsync(
        this TableClient table, string? filter, IEnumerable<string>? select, CancellationToken cancellationToken) =>
        table.QueryIfExistsAsync(filter, select, maxPerPage: null, after: null, cancellationToken);

    /// <summary>The same, with smaller pages, or from one of them on.</summary>
    /// <param name="after">The continuation token of the last page that was read.</param>
    public static async IAsyncEnumerable<Page<TableEntity>> QueryIfExistsAsync(
        this TableClient table,
        string? filter,
        IEnumerable<string>? select,
        int? maxPerPage,
        string? after,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var pages = table
            .QueryAsync<TableEntity>(filter, maxPerPage, select, cancellationToken)
            .AsPages(after)
            .GetAsyncEnumerator(cancellationToken);
        for (var first = true; ; first = false)
        {
            try
            {
                if (!await pages.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (RequestFailedException e) when (first && e.ErrorCode == TableErrorCode.TableNotFound)
            {
                yield break;
            }

            yield return pages.Current;
        }
    }

    /// <summary>The rows of a query, one after the other; none if the table does not exist yet.</summary>
    /// <exception cref="RequestFailedException">Storage failed, or the table was deleted halfway through.</exception>
    public static IAsyncEnumerable<TableEntity> RowsIfExistAsync(
        this TableClient table, string? filter, IEnumerable<string>? select, CancellationToken cancellationToken) =>
        table.QueryIfExistsAsync(filter, select, cancellationToken).SelectMany(page => page.Values.ToAsyncEnumerable());
}
