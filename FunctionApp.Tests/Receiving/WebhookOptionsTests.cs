using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.Receiving;

public sealed class WebhookOptionsTests
{
    private const string Good = "right-horse-battery-staple";

    [Fact]
    public void The_defaults_with_a_user_name_and_a_password_are_valid() =>
        Assert.Empty(Failures(new() { Username = "smtp2go", Password = Good }));

    public static TheoryData<string, WebhookOptions> Invalid => new()
    {
        { "Webhook__Password is not set", new() { Username = "u" } },
        { "Webhook__Password is too short", new() { Username = "u", Password = "fifteen-letters" } },
        {
            "Webhook__Password is a Key Vault reference that was not resolved",
            new() { Username = "u", Password = "@Microsoft.KeyVault(SecretUri=https://v.example/s)" }
        },
        { "Webhook__PreviousPassword is too short", new() { Username = "u", Password = Good, PreviousPassword = "short" } },
        { "Webhook__Username is not set", new() { Password = Good } },
        { "Webhook__Username contains a colon", new() { Username = "a:b", Password = Good } },
        { "Webhook__Accept", new() { Username = "u", Password = Good, Accept = SecretWays.None } },
        { "Webhook__AllowAnonymous is true while a Webhook__Password is set", new() { Password = Good, AllowAnonymous = true } },
        { "Webhook__MaxBodyBytes", new() { Username = "u", Password = Good, MaxBodyBytes = 0 } },
        { "Webhook__EnqueueTimeout", new() { Username = "u", Password = Good, EnqueueTimeout = TimeSpan.FromSeconds(9) } },
        { "Webhook__EnqueueTimeout", new() { Username = "u", Password = Good, EnqueueTimeout = TimeSpan.Zero } },
    };

    [Theory]
    [MemberData(nameof(Invalid), DisableDiscoveryEnumeration = true)]
    public void What_would_leave_the_endpoint_open_or_useless_is_named(string begins, WebhookOptions options)
    {
        var failure = Assert.Single(Failures(options));

        Assert.StartsWith(begins, failure, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", failure, StringComparison.Ordinal);
        Assert.DoesNotContain("fifteen-letters", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void The_samples_password_is_refused_only_on_azure()
    {
        var sample = new WebhookOptions { Username = "u", Password = WebhookOptions.SamplePassword };

        Assert.Empty(Failures(sample));
        Assert.Contains("the sample's", Assert.Single(Failures(sample, isAzure: true)), StringComparison.Ordinal);
    }

    [Fact]
    public void Anonymous_needs_no_secret() => Assert.Empty(Failures(new() { AllowAnonymous = true }));

    private static IEnumerable<string> Failures(WebhookOptions options, bool isAzure = false) =>
        new WebhookOptionsValidator(new AzureEnvironment(isAzure)).Validate(null, options).Failures ?? [];
}
