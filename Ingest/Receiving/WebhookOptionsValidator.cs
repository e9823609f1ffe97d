using System.Globalization;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Receiving;

/// <summary>Refuses settings that would leave the endpoint open or useless; each message names the setting and what to do.</summary>
public sealed class WebhookOptionsValidator(AppEnvironment environment) : IValidateOptions<WebhookOptions>
{
    private static readonly TimeSpan MaxEnqueueTimeout = TimeSpan.FromSeconds(8);

    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        var failures = (options.AllowAnonymous ? Anonymous(options) : Secrets(options)).Concat(Limits(options)).ToList();
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static IEnumerable<string> Anonymous(WebhookOptions options)
    {
        if (!string.IsNullOrEmpty(options.Password) || !string.IsNullOrEmpty(options.PreviousPassword))
        {
            yield return "Webhook__AllowAnonymous is true, but a Webhook__Password is set: remove one of them.";
        }
    }

    private IEnumerable<string> Secrets(WebhookOptions options)
    {
        if (string.IsNullOrEmpty(options.Password))
        {
            yield return "Webhook__Password is not set: without it, anybody could post events. Set it to a random text of at least "
                + $"{MinPasswordLengthText} characters (or, for a test, set Webhook__AllowAnonymous to true).";
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
            yield return "Webhook__Username is not set: choose a user name for Basic authentication, for example smtp2go.";
        }
        else if (UnsafeText(options.Username) is { } unsafeText)
        {
            yield return $"Webhook__Username {unsafeText}";
        }
        else if (options.Username.Contains(':', StringComparison.Ordinal))
        {
            yield return "Webhook__Username contains a colon, which Basic authentication does not allow: choose another.";
        }

        const SecretWays All = SecretWays.Basic | SecretWays.Bearer | SecretWays.Query | SecretWays.Path;
        if (options.Accept == SecretWays.None || (options.Accept & ~All) != SecretWays.None)
        {
            yield return "Webhook__Accept is not valid: list at least one of basic, bearer, query, path.";
        }
    }

    private static IEnumerable<string> Limits(WebhookOptions options)
    {
        if (options.MaxBodyBytes is < 1024 or > 16 * 1024 * 1024)
        {
            yield return "Webhook__MaxBodyBytes must be between 1024 and 16777216.";
        }

        if (options.TrustedProxies is < 0 or > 16)
        {
            yield return "Webhook__TrustedProxies must be between 0 and 16.";
        }

        if (SourceEntries.Parse(options.AllowedSources).Invalid is { Count: > 0 } invalid)
        {
            yield return "Webhook__AllowedSources has entries that are not a host name, an address or a CIDR range: "
                + $"{string.Join(", ", invalid)}.";
        }

        if (options.EnqueueTimeout <= TimeSpan.Zero || options.EnqueueTimeout > MaxEnqueueTimeout)
        {
            yield return "Webhook__EnqueueTimeout must be greater than 0 and at most 00:00:08: SMTP2GO hangs up after 10 s.";
        }
    }

    private static string MinPasswordLengthText => WebhookOptions.MinPasswordLength.ToString(CultureInfo.InvariantCulture);

    // A form, a shell or a file may drop or keep a blank, and clients disagree on the encoding of other characters. The app would
    // start, and answer 401 from then on.
    private static string? UnsafeText(string text) =>
        char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1])
            ? "begins or ends with white space (perhaps a line break that was copied with it): remove it."
        : text.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? "contains a character outside printable ASCII, which clients encode differently: use ASCII letters, digits and punctuation."
        : null;

    private string? Problem(string password) =>
        password.StartsWith("@Microsoft.KeyVault(", StringComparison.OrdinalIgnoreCase)
            ? "is a Key Vault reference that was not resolved: check the secret's name and the app's access to the vault."
        : UnsafeText(password) is { } unsafeText ? unsafeText
        : password.Length < WebhookOptions.MinPasswordLength
            ? $"is too short: it needs at least {MinPasswordLengthText} characters."
        : environment.IsPublic && password == WebhookOptions.SamplePassword
            ? "is the sample's, which is public: set your own."
        : null;
}
