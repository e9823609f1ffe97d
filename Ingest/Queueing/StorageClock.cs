using Azure;
using Azure.Storage.Blobs;

namespace Smtp2GoIngest.Queueing;

/// <summary>The storage account's own time, to compare with the times that it writes. A local clock may be minutes off.</summary>
public sealed class StorageClock(BlobServiceClient service)
{
    // It names whole seconds, as does a blob's last change: what is written after the call may carry the second of the answer.
    private static readonly TimeSpan Resolution = TimeSpan.FromSeconds(1);

    /// <summary>The last second that was over at the call. Whatever storage writes from then on carries a later time.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<DateTimeOffset> PassedAsync(CancellationToken cancellationToken)
    {
        // Answered for a container that does not exist as well, and allowed by the role on blobs alone.
        var exists = await service.GetBlobContainerClient(WebhookBlobs.ContainerName).ExistsAsync(cancellationToken);
        return exists.GetRawResponse().Headers.Date is { } now
            ? now - Resolution
            : throw new RequestFailedException("The answer of storage has no Date.");
    }
}
