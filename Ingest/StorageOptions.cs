using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest;

/// <summary>The settings <c>EventStorage</c> and <c>EventStorage__…</c>, as the Functions host reads them for its triggers.</summary>
public sealed class StorageOptions
{
    /// <summary>The name of the setting, and of the triggers' connection.</summary>
    /// <remarks>Not <c>Storage</c>: the host would read <c>AzureWebJobsStorage</c> instead.</remarks>
    public const string Connection = "EventStorage";

    /// <summary>A connection string; null if the service URIs are set instead.</summary>
    public string? ConnectionString { get; set; }

    // The three services, to sign in with an identity instead of a connection string.
    public string? QueueServiceUri { get; set; }

    public string? TableServiceUri { get; set; }

    public string? BlobServiceUri { get; set; }

    /// <summary><c>managedidentity</c>, or empty for any identity that the environment offers.</summary>
    public string? Credential { get; set; }

    /// <summary>The client id of a user-assigned identity; empty for the system-assigned one.</summary>
    public string? ClientId { get; set; }

    internal bool IsManagedIdentity => string.Equals(Credential, "managedidentity", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Refuses settings that cannot reach the storage account.</summary>
public sealed class StorageOptionsValidator : IValidateOptions<StorageOptions>
{
    public ValidateOptionsResult Validate(string? name, StorageOptions options)
    {
        if (options.ConnectionString is { Length: > 0 } connectionString)
        {
            return IsConnectionString(connectionString)
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail(
                    "EventStorage is not a valid storage account connection string: copy it from the account's access keys.");
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

        return string.IsNullOrEmpty(options.Credential) || options.IsManagedIdentity
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("EventStorage__credential must be managedidentity or not set at all.");
    }

    // The one that Azure gives is known by its parts: making the clients, which judge any other, costs some 80 ms of CPU.
    private static bool IsConnectionString(string text) => IsUsualConnectionString(text) || IsTakenByClients(text);

    private static bool IsUsualConnectionString(string text)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var parts = (text.EndsWith(';') ? text[..^1] : text).Split(';').Select(part => part.Split('=', 2));
        return parts.All(part => part.Length == 2 && IsUsual(part[0], part[1]) && names.Add(part[0])) && names.Count == 4;
    }

    private static bool IsUsual(string name, string value) => name switch
    {
        "DefaultEndpointsProtocol" => value == "https",
        "AccountName" => value.Length > 0 && value.All(char.IsAsciiLetterOrDigit),
        "AccountKey" => value.Length > 0 && Convert.TryFromBase64String(value, new byte[value.Length], out _),
        "EndpointSuffix" => Uri.CheckHostName(value) == UriHostNameType.Dns,
        _ => false,
    };

    private static bool IsTakenByClients(string text)
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
