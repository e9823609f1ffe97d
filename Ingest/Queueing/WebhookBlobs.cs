using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Smtp2GoIngest.Queueing;

/// <summary>The blob container for bodies that no queue message or table row can hold.</summary>
/// <param name="service">The storage account.</param>
public sealed class WebhookBlobs(BlobServiceClient service)
{
    /// <summary>The container's name.</summary>
    public const string ContainerName = "smtp2go-webhooks";

    private readonly BlobContainerClient container = service.GetBlobContainerClient(ContainerName);

    /// <summary>Tells whether a text is a name that <see cref="WriteAsync"/> gives.</summary>
    /// <param name="name">64 lower-case hex digits, or not.</param>
    public static bool IsName(string? name) => name is { Length: 64 } && name.All(char.IsAsciiHexDigitLower);

    /// <summary>Writes a body, unless it is there already, and gives its name.</summary>
    /// <remarks>The name is the SHA-256 of the body, so that a retry finds the blob of the first try.</remarks>
    /// <param name="body">The exact bytes.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<string> WriteAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(body.Span));
        try
        {
            await WriteIfAbsentAsync(name, body, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await WriteIfAbsentAsync(name, body, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound)
        {
            // Deleted between finding it there and touching it.
            await WriteIfAbsentAsync(name, body, cancellationToken);
        }

        return name;
    }

    /// <summary>The blobs that nobody has written or used again since a time, a page at a time.</summary>
    /// <param name="before">The time.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    internal async IAsyncEnumerable<string> ListAsync(DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await container.ExistsAsync(cancellationToken))
        {
            yield break;
        }

        await foreach (var blob in container.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (blob.Properties.LastModified < before)
            {
                yield return blob.Name;
            }
        }
    }

    /// <summary>Deletes a blob, unless somebody has written or used it again since a time.</summary>
    /// <param name="name">The blob.</param>
    /// <param name="before">The time; null deletes it anyhow.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>Whether it was deleted.</returns>
    internal async Task<bool> DeleteAsync(string name, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        try
        {
            var untouched = new BlobRequestConditions { IfUnmodifiedSince = before };
            return await container.GetBlobClient(name).DeleteIfExistsAsync(conditions: untouched, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
            return false;
        }
    }

    /// <summary>Reads a body; null where the blob is gone.</summary>
    /// <param name="name">The name that <see cref="WriteAsync"/> gave.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<BinaryData?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var blob = await container.GetBlobClient(name).DownloadContentAsync(cancellationToken);
            return blob.Value.Content;
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound || e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return null;
        }
    }

    private async Task WriteIfAbsentAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        try
        {
            var onlyIfAbsent = new BlobUploadOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } };
            await container.GetBlobClient(name).UploadAsync(new BinaryData(body), onlyIfAbsent, cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobAlreadyExists)
        {
            // The same body was written before. Touched, it is not swept from under the webhook that now refers to it as well.
            await container.GetBlobClient(name).SetMetadataAsync(new Dictionary<string, string>(), cancellationToken: cancellationToken);
        }
    }
}
