using System.Globalization;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Receiving;

/// <summary>The ways in which a secret may come; several may be accepted at once.</summary>
[Flags]
public enum SecretWays
{
    /// <summary>None: every webhook is refused, so the app does not start with it.</summary>
    None = 0,

    /// <summary>User name and password in the authorization header.</summary>
    Basic = 1,

    /// <summary>The password as a bearer token in the authorization header.</summary>
    Bearer = 2,

    /// <summary>The password as <c>?p=</c>.</summary>
    Query = 4,

    /// <summary>The password at the end of the path: <c>/webhook/smtp2go_&lt;password&gt;</c>.</summary>
    Path = 8,
}

/// <summary>The settings <c>Webhook__…</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Webhook";

    /// <summary>The password of <c>local.settings.sample.json</c>, which the app refuses on Azure.</summary>
    public const string SamplePassword = "change-me-to-a-long-random-text";

    /// <summary>The fewest characters of a password.</summary>
    public const int MinPasswordLength = 16;

    /// <summary>The user name of Basic authentication.</summary>
    public string? Username { get; set; }

    /// <summary>The secret, whichever way it comes.</summary>
    public string? Password { get; set; }

    /// <summary>The secret before the last change, accepted as well while SMTP2GO's settings are being changed.</summary>
    public string? PreviousPassword { get; set; }

    /// <summary>Which ways a secret may come.</summary>
    public SecretWays Accept { get; set; } = SecretWays.Basic | SecretWays.Bearer | SecretWays.Query | SecretWays.Path;

    /// <summary>True lets everybody in, and is the only way to run without a password.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Who may post: host names, addresses and CIDR ranges, separated by commas; everybody where it is empty.</summary>
    public string? AllowedSources { get; set; }

    /// <summary>How many hops of <c>X-Forwarded-For</c>, from the right, are ours; by default 1 on Azure and 0 elsewhere.</summary>
    public int? TrustedProxies { get; set; }

    /// <summary>The longest body in bytes; SMTP2GO's own are a few KiB, an email with many recipients some hundred.</summary>
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>How long making a webhook durable may take; SMTP2GO hangs up after 10 s.</summary>
    public TimeSpan EnqueueTimeout { get; set; } = TimeSpan.FromSeconds(4);
}

/// <summary>Refuses settings that would leave the endpoint open or useless; each message names the setting and what to do.</summary>
/// <param name="environment">Tells whether the app runs on Azure.</param>
public sealed class WebhookOptionsValidator(AzureEnvironment environment) : IValidateOptions<WebhookOptions>
{
    private static readonly TimeSpan MaxEnqueueTimeout = TimeSpan.FromSeconds(8);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        var failures = (options.AllowAnonymous ? Anonymous(options) : Secrets(options)).Concat(Limits(options)).ToList();
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static IEnumerable<string> Anonymous(WebhookOptions options)
    {
        if (!string.IsNullOrEmpty(options.Password) || !string.IsNullOrEmpty(options.PreviousPassword))
        {
            yield return "Webhook__AllowAnonymous is true while a Webhook__Password is set: remove one of them.";
        }
    }

    private IEnumerable<string> Secrets(WebhookOptions options)
    {
        if (string.IsNullOrEmpty(options.Password))
        {
            yield return "Webhook__Password is not set: without it everybody could post events. Set it to a random text of at least "
                + $"{MinPasswordLengthText} characters (or Webhook__AllowAnonymous to true, for a test).";
        }
        else if (Problem(options.Password) is { } problem)
        {
            yield return $"Webhook__Password {problem}";
        }

        if (!string.IsNullOrEmpty(options.PreviousPassword) && Problem(options.PreviousPassword) is { } previous)
        {
            yield return $"Webhook__PreviousPassword {previous}";
        }

        if (string.IsNullOrEmpty(options.Username))
        {
            yield return "Webhook__Username is not set: it is the user name of Basic authentication, for example smtp2go.";
        }
        else if (options.Username.Contains(':', StringComparison.Ordinal))
        {
            yield return "Webhook__Username holds a colon, which Basic authentication cannot carry: choose another.";
        }

        const SecretWays All = SecretWays.Basic | SecretWays.Bearer | SecretWays.Query | SecretWays.Path;
        if (options.Accept == SecretWays.None || (options.Accept & ~All) != SecretWays.None)
        {
            yield return "Webhook__Accept names no way for a secret to come: list some of basic, bearer, query, path.";
        }
    }

    private static IEnumerable<string> Limits(WebhookOptions options)
    {
        if (options.MaxBodyBytes is < 1024 or > 16 * 1024 * 1024)
        {
            yield return "Webhook__MaxBodyBytes must lie between 1024 and 16777216.";
        }

        if (options.TrustedProxies is < 0 or > 16)
        {
            yield return "Webhook__TrustedProxies must lie between 0 and 16.";
        }

        if (SourceAllowList.Invalid(options.AllowedSources).ToList() is { Count: > 0 } invalid)
        {
            yield return $"Webhook__AllowedSources holds what is neither a host name, an address nor a CIDR range: {string.Join(", ", invalid)}.";
        }

        if (options.EnqueueTimeout <= TimeSpan.Zero || options.EnqueueTimeout > MaxEnqueueTimeout)
        {
            yield return "Webhook__EnqueueTimeout must lie between 0 and 00:00:08: SMTP2GO hangs up after 10 s.";
        }
    }

    private static string MinPasswordLengthText => WebhookOptions.MinPasswordLength.ToString(CultureInfo.InvariantCulture);

    private string? Problem(string password) =>
        password.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase)
            ? "is a Key Vault reference that was not resolved: check the secret's name and the app's access to the vault."
        : password.Length < WebhookOptions.MinPasswordLength
            ? $"is too short: it needs at least {MinPasswordLengthText} characters."
        : environment.IsAzure && password == WebhookOptions.SamplePassword
            ? "is the sample's, which everybody knows: set your own."
        : null;
}
