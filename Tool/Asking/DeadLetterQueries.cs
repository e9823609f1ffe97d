using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Finds dead letters and reads one with its whole body.</summary>
internal static class DeadLetterQueries
{
    public static string OfReason(string reason) => TableClient.CreateQueryFilter($"Reason eq {reason}");

    private static string OfRow(string? day, string row) => TableClient.CreateQueryFilter($"PartitionKey eq {day} and RowKey eq {row}");

    /// <summary>All dead letters of one reason, or those rows of a day that exist: as much of each as dropping it takes.</summary>
    public static async IAsyncEnumerable<TableEntity> FindAsync(
        TableServiceClient service,
        string? reason,
        string? day,
        IEnumerable<string> rows,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filters = reason is not null ? [OfReason(reason)] : rows.Distinct().Select(row => OfRow(day, row));
        foreach (var filter in filters)
        {
            await foreach (var letter in service.RowsAsync(DeadLetters.TableName, filter, DeadLetterBlobs.Columns, cancellationToken))
            {
                yield return letter;
            }
        }
    }

    /// <summary>One dead letter; its column <c>Body</c> is missing where the body is gone.</summary>
    public static async Task<TableEntity?> ReadAsync(
        TableServiceClient service, WebhookBlobs blobs, string day, string row, CancellationToken cancellationToken)
    {
        var letter = await service
            .RowsAsync(DeadLetters.TableName, OfRow(day, row), null, cancellationToken)
            .FirstOrDefaultAsync(cancellationToken);
        if (letter is not null && await StoredBody.Of(letter).ReadAsync(blobs, cancellationToken) is { } body)
        {
            letter[ColumnNames.Body] = body.ToString();
        }

        return letter;
    }
}
