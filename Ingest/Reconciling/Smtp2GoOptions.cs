namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// The settings <c>Smtp2Go__…</c>: SMTP2GO's HTTP API, with which stored events are compared. Without a key, it is never called.
/// </summary>
public sealed class Smtp2GoOptions
{
    public const string Section = "Smtp2Go";

    /// <summary>SMTP2GO routes it to its nearest region.</summary>
    public const string DefaultUrl = "https://api.smtp2go.com/v3";

    /// <summary>A key that may call <c>/activity/search</c> and <c>/webhook/view</c>; it needs no other permission.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Empty for <see cref="DefaultUrl"/>; SMTP2GO also has us-api, eu-api and au-api.</summary>
    public string? ApiUrl { get; set; }

    internal bool HasKey => !string.IsNullOrEmpty(ApiKey);

    /// <summary>
    /// The secret is gone from the vault, or the app may not read it. That does not stop the app: webhooks are received without a key.
    /// </summary>
    internal bool IsUnresolved => ApiKey?.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>With a slash at the end, so that the path of a call is added to it.</summary>
    internal Uri BaseUrl => new((string.IsNullOrEmpty(ApiUrl) ? DefaultUrl : ApiUrl).TrimEnd('/') + "/");
}
