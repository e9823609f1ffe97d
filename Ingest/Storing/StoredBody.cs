using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>Where a body is: its text in a row or message, or the blob that has it. Neither, if it is gone.</summary>
internal readonly record struct StoredBody(string? Text, string? Blob)
{
    public static StoredBody Of(TableEntity row) => new(TextIn(row, ColumnNames.Body), TextIn(row, ColumnNames.BodyBlob));

    public static StoredBody Of(ReceivedWebhook webhook) => new(webhook.Body, webhook.Blob);

    /// <summary>Leaves a body that fits into a column to the row, and writes a longer one to a blob.</summary>
    public static Task<StoredBody> WriteAsync(string body, WebhookBlobs blobs, CancellationToken cancellationToken) =>
        body.Length <= TableLimits.MaxTextLength
            ? Task.FromResult(new StoredBody(body, null))
            : WriteToBlobAsync(body, blobs, cancellationToken);

    public static async Task<StoredBody> WriteToBlobAsync(string body, WebhookBlobs blobs, CancellationToken cancellationToken) =>
        new(null, await blobs.WriteAsync(Encoding.UTF8.GetBytes(body), cancellationToken));

    /// <summary>The exact bytes; null if they are gone.</summary>
    public async Task<BinaryData?> ReadAsync(WebhookBlobs blobs, CancellationToken cancellationToken) =>
        Text is not null ? BinaryData.FromString(Text)
        : Blob is not null ? await blobs.ReadAsync(Blob, cancellationToken)
        : null;

    /// <summary>Makes a row refer to this body and to no other.</summary>
    public void SetOn(TableEntity row)
    {
        Set(row, ColumnNames.Body, Text);
        Set(row, ColumnNames.BodyBlob, Blob);
    }

    // Somebody else may have written the row, with other types.
    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) ? value as string : null;

    private static void Set(TableEntity row, string column, string? value)
    {
        if (value is null)
        {
            row.Remove(column);
        }
        else
        {
            row[column] = value;
        }
    }
}
