using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>The storage account whose events are shown.</summary>
internal sealed record StudioStorage(TableServiceClient Tables, QueueServiceClient Queues, BlobServiceClient Blobs)
{
    public static StudioStorage Of(StorageOptions options) => new(
        StorageClients.Tables(options), StorageClients.Queues(options, isPatient: true), StorageClients.Blobs(options, isPatient: true));

    public override string ToString() => $"account {Tables.AccountName} at {Tables.Uri.Authority}";
}
