using System.Text.RegularExpressions;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>The blobs that a dead letter refers to.</summary>
internal static partial class DeadLetterBlobs
{
    /// <summary>Dead letters that may refer to a blob.</summary>
    public const string Filter = $"{ColumnNames.BodyBlob} gt '' or {ColumnNames.Reason} eq '{DeadLetterReason.Unreadable}'";

    /// <summary>The columns that <see cref="OfAsync"/> reads.</summary>
    public static readonly string[] Columns = ["PartitionKey", "RowKey", ColumnNames.Reason, ColumnNames.Body, ColumnNames.BodyBlob];

    /// <summary>
    /// Its own body's blob, and those named only in the text of an unreadable message, for example one of another version.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public static async Task<IReadOnlyCollection<string>> OfAsync(
        TableEntity row, WebhookBlobs blobs, CancellationToken cancellationToken)
    {
        var body = StoredBody.Of(row);
        var names = new List<string>();
        if (body.Blob is { } blob)
        {
            names.Add(blob);
        }

        if (row.GetString(ColumnNames.Reason) == DeadLetterReason.Unreadable
            && await body.ReadAsync(blobs, cancellationToken) is { } text)
        {
            names.AddRange(Name().Matches(text.ToString()).Select(match => match.Value));
        }

        return names;
    }

    /// <summary>Makes the sweep look at them again: what refers to them changes, and they may have been touched long ago.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public static async Task TouchAsync(TableEntity row, WebhookBlobs blobs, CancellationToken cancellationToken)
    {
        foreach (var blob in await OfAsync(row, blobs, cancellationToken))
        {
            await blobs.TouchAsync(blob, cancellationToken);
        }
    }

    [GeneratedRegex("[0-9a-f]{64}", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Name();
}
