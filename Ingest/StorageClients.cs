using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest;

/// <summary>Creates the clients of the storage account, without calling it.</summary>
internal static class StorageClients
{
    /// <param name="isPatient">True if nobody waits for an answer and the connection may be slow.</param>
    public static QueueServiceClient Queues(StorageOptions options, HttpPipelineTransport? transport = null, bool isPatient = false)
    {
        var client = Configure(new QueueClientOptions { MessageEncoding = WebhookQueue.MessageEncoding }, transport);
        SetWriteTimeout(client, isPatient ? null : WriteTimeout.OfQueue);
        return options.ConnectionString is { Length: > 0 } connectionString
            ? new QueueServiceClient(connectionString, client)
            : new QueueServiceClient(new Uri(options.QueueServiceUri!), CredentialOf(options), client);
    }

    public static TableServiceClient Tables(StorageOptions options, HttpPipelineTransport? transport = null)
    {
        var client = Configure(new TableClientOptions(), transport);
        return options.ConnectionString is { Length: > 0 } connectionString
            ? new TableServiceClient(connectionString, client)
            : new TableServiceClient(new Uri(options.TableServiceUri!), CredentialOf(options), client);
    }

    /// <param name="isPatient">True if nobody waits for an answer and the connection may be slow.</param>
    public static BlobServiceClient Blobs(StorageOptions options, HttpPipelineTransport? transport = null, bool isPatient = false)
    {
        var client = Configure(new BlobClientOptions(), transport);
        SetWriteTimeout(client, isPatient ? null : WriteTimeout.OfBlobs);
        return options.ConnectionString is { Length: > 0 } connectionString
            ? new BlobServiceClient(connectionString, client)
            : new BlobServiceClient(new Uri(options.BlobServiceUri!), CredentialOf(options), client);
    }

    private static TokenCredential CredentialOf(StorageOptions options) =>
        !options.IsManagedIdentity ? new DefaultAzureCredential()
        : options.ClientId is { Length: > 0 } clientId ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
        : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);

    private static void SetWriteTimeout(ClientOptions options, TimeSpan? firstTry)
    {
        if (firstTry is { } time)
        {
            options.AddPolicy(new WriteTimeout(time), HttpPipelinePosition.PerRetry);
        }
        else
        {
            // The SDK's own default: 16 MiB over a slow connection take a while.
            options.Retry.NetworkTimeout = TimeSpan.FromSeconds(100);
        }
    }

    // Retries here cover a hiccup of about a second. The queue's retry delay covers an outage.
    private static T Configure<T>(T options, HttpPipelineTransport? transport)
        where T : ClientOptions
    {
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = 3;
        options.Retry.Delay = TimeSpan.FromMilliseconds(100);
        options.Retry.MaxDelay = TimeSpan.FromSeconds(1);
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(10);
        options.Transport = transport ?? options.Transport;
        options.AddPolicy(new NoFalseSuccess(), HttpPipelinePosition.PerRetry);

        // Nobody exports these spans: they contain row keys. They were half of what a row in a transaction costs: docs/performance.md.
        options.Diagnostics.IsDistributedTracingEnabled = false;
        return options;
    }
}
