namespace Smtp2GoIngest.Receiving;

/// <summary>Where a request may carry the secret.</summary>
[Flags]
public enum SecretWays
{
    // Would refuse every webhook, so the app does not start with it.
    None = 0,

    /// <summary>User name and password in the Authorization header.</summary>
    Basic = 1,

    /// <summary>The password as a bearer token in the Authorization header.</summary>
    Bearer = 2,

    /// <summary>The password as <c>?p=</c>.</summary>
    Query = 4,

    /// <summary>The password at the end of the path: <c>/webhook/smtp2go_&lt;password&gt;</c>.</summary>
    Path = 8,
}

/// <summary>The settings <c>Webhook__…</c>.</summary>
public sealed class WebhookOptions
{
    public const string Section = "Webhook";

    /// <summary>The password in <c>local.settings.sample.json</c>, which the app refuses wherever others can reach it.</summary>
    public const string SamplePassword = "change-me-to-a-long-random-text";

    public const int MinPasswordLength = 16;

    /// <summary>For Basic authentication.</summary>
    public string? Username { get; set; }

    public string? Password { get; set; }

    /// <summary>Also accepted, while the webhook's settings in SMTP2GO are being changed.</summary>
    public string? PreviousPassword { get; set; }

    public SecretWays Accept { get; set; } = SecretWays.Basic | SecretWays.Bearer | SecretWays.Query | SecretWays.Path;

    /// <summary>Lets anybody in; the only way to run without a password.</summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>Who may post: host names, addresses and CIDR ranges, separated by commas. Empty lets anybody post.</summary>
    public string? AllowedSources { get; set; }

    /// <summary>How many hops of <c>X-Forwarded-For</c>, from the right, are ours; by default 1 on Azure and 0 elsewhere.</summary>
    public int? TrustedProxies { get; set; }

    /// <summary>SMTP2GO's own bodies have a few KiB, or some hundred KiB for an email with many recipients.</summary>
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>How long writing to the queue may take; SMTP2GO hangs up after 10 s.</summary>
    public TimeSpan EnqueueTimeout { get; set; } = TimeSpan.FromSeconds(4);
}
