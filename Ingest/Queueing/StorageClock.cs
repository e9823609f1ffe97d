using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Smtp2GoIngest.Queueing;

/// <summary>The storage account's own time, to compare with the times that it writes. A local clock may be minutes off.</summary>
public sealed class StorageClock(BlobServiceClient service)
{
    // Storage gives whole seconds, also for a blob's last change: a write after the call may carry the same second as the answer.
    private static readonly TimeSpan Resolution = TimeSpan.FromSeconds(1);

    /// <summary>The last second that had passed at the call. Whatever storage writes from then on carries a later time.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<DateTimeOffset> PassedAsync(CancellationToken cancellationToken) =>
        TimeOf(await AnswerAsync(cancellationToken)) - Resolution;

    /// <summary>Storage's time when it answered, in whole seconds.</summary>
    internal static DateTimeOffset TimeOf(Response? answer) =>
        answer?.Headers.Date ?? throw new RequestFailedException("Storage's answer has no Date header.");

    private async Task<Response?> AnswerAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The role for blobs is enough for this.
            var container = service.GetBlobContainerClient(WebhookBlobs.ContainerName);
            return (await container.GetPropertiesAsync(cancellationToken: cancellationToken)).GetRawResponse();
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return e.GetRawResponse();
        }
    }
}
