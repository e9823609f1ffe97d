using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Smtp2GoIngest.Queueing;

/// <summary>The blob container for bodies that do not fit into a queue message or a table row.</summary>
public sealed class WebhookBlobs(BlobServiceClient service)
{
    public const string ContainerName = "smtp2go-webhooks";

    // The name in the container's metadata.
    private const string Swept = "sweptuntil";

    private readonly BlobContainerClient container = service.GetBlobContainerClient(ContainerName);

    /// <summary>Whether a text is a name as <see cref="WriteAsync"/> returns them: 64 lower-case hex digits.</summary>
    public static bool IsName(string? name) => name is { Length: 64 } && name.All(char.IsAsciiHexDigitLower);

    /// <summary>Writes a body unless it exists, and returns its name.</summary>
    /// <remarks>The name is the SHA-256 of the body, so a retry finds the blob of the first try.</remarks>
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
            // Deleted between finding that it exists and touching it.
            await WriteIfAbsentAsync(name, body, cancellationToken);
        }

        return name;
    }

    /// <summary>Lists all blobs.</summary>
    internal IAsyncEnumerable<string> ListAsync(CancellationToken cancellationToken) =>
        ListAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, cancellationToken);

    /// <summary>Lists the blobs that were last written or touched before a time, and that the last sweep did not look at.</summary>
    internal async IAsyncEnumerable<string> ListUnsweptAsync(
        DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var since = await MetadataAsync(cancellationToken) is { } metadata
            && metadata.TryGetValue(Swept, out var text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var last)
            ? last
            : DateTimeOffset.MinValue;
        await foreach (var name in ListAsync(since, before, cancellationToken))
        {
            yield return name;
        }
    }

    /// <summary>Notes that a sweep has looked at all blobs that were last touched before a time.</summary>
    internal async Task SetSweptAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        if (await MetadataAsync(cancellationToken) is { } metadata)
        {
            // The call replaces all metadata.
            metadata[Swept] = before.ToString("O", CultureInfo.InvariantCulture);
            await container.SetMetadataAsync(metadata, cancellationToken: cancellationToken);
        }
    }

    /// <summary>Keeps a blob from being swept for a while; does nothing if it is gone.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task TouchAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await container.GetBlobClient(name).SetMetadataAsync(new Dictionary<string, string>(), cancellationToken: cancellationToken);
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.BlobNotFound || e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            // Nothing to keep.
        }
    }

    /// <summary>Deletes a blob unless it was written or touched after a time; with null, deletes it in any case.</summary>
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

    /// <summary>Reads a body; null if the blob is gone.</summary>
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

    /// <summary>The container's metadata; null if it does not exist yet.</summary>
    private async Task<IDictionary<string, string>?> MetadataAsync(CancellationToken cancellationToken) =>
        await container.ExistsAsync(cancellationToken)
            ? (await container.GetPropertiesAsync(cancellationToken: cancellationToken)).Value.Metadata
            : null;

    private async IAsyncEnumerable<string> ListAsync(
        DateTimeOffset since, DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await container.ExistsAsync(cancellationToken))
        {
            yield break;
        }

        await foreach (var blob in container.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            if (blob.Properties.LastModified >= since && blob.Properties.LastModified < before)
            {
                yield return blob.Name;
            }
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
            // The same body was written before. Touching it keeps it from being swept while this webhook refers to it.
            await container.GetBlobClient(name).SetMetadataAsync(new Dictionary<string, string>(), cancellationToken: cancellationToken);
        }
    }
}
