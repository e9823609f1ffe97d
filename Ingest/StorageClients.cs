using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest;

/// <summary>The settings <c>EventStorage</c> and <c>EventStorage__…</c>, in the shape that the Functions host reads for its triggers.</summary>
public sealed class StorageOptions
{
    /// <summary>The setting's name, and that of the triggers' connection.</summary>
    /// <remarks>Not <c>Storage</c>: the host would read <c>AzureWebJobsStorage</c> for it.</remarks>
    public const string Connection = "EventStorage";

    /// <summary>A connection string; null where the service URIs are set.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Of the queue service, to be reached by identity.</summary>
    public string? QueueServiceUri { get; set; }

    /// <summary>Of the table service, to be reached by identity.</summary>
    public string? TableServiceUri { get; set; }

    /// <summary>Of the blob service, to be reached by identity.</summary>
    public string? BlobServiceUri { get; set; }

    /// <summary><c>managedidentity</c>, or nothing for whatever identity the environment offers.</summary>
    public string? Credential { get; set; }

    /// <summary>The client id of a user-assigned identity; nothing for the system-assigned one.</summary>
    public string? ClientId { get; set; }
}

/// <summary>Refuses a storage account that cannot be reached as it is set.</summary>
public sealed class StorageOptionsValidator : IValidateOptions<StorageOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        if (options.ConnectionString is { Length: > 0 } connectionString)
        {
            return IsConnectionString(connectionString)
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail(
                    "EventStorage is no connection string of a storage account: copy it from the account's access keys.");
        }

        (string Setting, string? Uri)[] services =
        [
            ("EventStorage__queueServiceUri", options.QueueServiceUri),
            ("EventStorage__tableServiceUri", options.TableServiceUri),
            ("EventStorage__blobServiceUri", options.BlobServiceUri),
        ];
        if (services.Where(s => string.IsNullOrEmpty(s.Uri)).Select(s => s.Setting).ToList() is { Count: > 0 } missing)
        {
            return ValidateOptionsResult.Fail(
                $"EventStorage is not set: set it to a connection string, or set {string.Join(", ", missing)}.");
        }

        if (services
                .Where(s => !Uri.TryCreate(s.Uri, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
                .Select(s => s.Setting)
                .ToList() is
            { Count: > 0 } wrong)
        {
            return ValidateOptionsResult.Fail($"{string.Join(", ", wrong)} must be a URI that begins with https://.");
        }

        return string.IsNullOrEmpty(options.Credential) || StorageClients.IsManagedIdentity(options)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("EventStorage__credential must be managedidentity, or not set at all.");
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            _ = new QueueServiceClient(text);
            _ = new BlobServiceClient(text);
            _ = new TableServiceClient(text);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException or KeyNotFoundException)
        {
            return false;
        }
    }
}

/// <summary>Makes the clients of the storage account. Making one costs no call.</summary>
internal static class StorageClients
{
    public static QueueServiceClient Queues(StorageOptions options, HttpPipelineTransport? transport = null)
    {
        var client = Configure(new QueueClientOptions { MessageEncoding = WebhookQueue.MessageEncoding }, transport);
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

    public static BlobServiceClient Blobs(StorageOptions options, HttpPipelineTransport? transport = null)
    {
        var client = Configure(new BlobClientOptions(), transport);
        return options.ConnectionString is { Length: > 0 } connectionString
            ? new BlobServiceClient(connectionString, client)
            : new BlobServiceClient(new Uri(options.BlobServiceUri!), CredentialOf(options), client);
    }

    public static bool IsManagedIdentity(StorageOptions options) =>
        string.Equals(options.Credential, "managedidentity", StringComparison.OrdinalIgnoreCase);

    private static TokenCredential CredentialOf(StorageOptions options) =>
        !IsManagedIdentity(options) ? new DefaultAzureCredential()
        : options.ClientId is { Length: > 0 } clientId ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
        : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);

    // A hiccup is met here, within a second; an outage is the queue's to outlast, by its retry delay.
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
        return options;
    }
}

/// <summary>
/// Takes a success that storage did not answer for a connection that failed, which is tried again: a captive portal or a proxy may answer a
/// write with the very status that says it took effect, and then what was never written would be acknowledged.
/// </summary>
internal sealed class NoFalseSuccess : HttpPipelineSynchronousPolicy
{
    // On every answer of each of the services.
    private const string Mark = "x-ms-request-id";

    public override void OnReceivedResponse(HttpMessage message)
    {
        if (!message.Response.IsError && !message.Response.Headers.Contains(Mark))
        {
            throw new RequestFailedException("The answer is not from storage.");
        }
    }
}
