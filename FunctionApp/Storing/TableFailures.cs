using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;

namespace Smtp2GoIngest.Storing;

/// <summary>What a failure of Azure Storage means for the row at hand.</summary>
internal static class TableFailures
{
    /// <summary>Tells whether storage will never take this row, however often it is tried.</summary>
    /// <remarks>Missing rights, a missing table, throttling and time-outs pass or are mended: they are not the row's fault.</remarks>
    public static bool IsForGood(this RequestFailedException e) =>
        e.Status is >= 400 and < 500 and not (401 or 403 or 404 or 408 or 409 or 429);

    /// <summary>Runs an operation, and once more after making the table where it is missing: a table that is there costs nothing.</summary>
    public static async Task CreatingIfMissing(this TableClient table, Func<TableClient, Task> operation, CancellationToken cancellationToken)
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
}
