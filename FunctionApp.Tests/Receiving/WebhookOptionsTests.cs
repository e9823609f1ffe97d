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
        { "Webhook__Password begins or ends with white space", new() { Username = "u", Password = $"{Good}\n" } },
        { "Webhook__Password begins or ends with white space", new() { Username = "u", Password = $" {Good}" } },
        { "Webhook__Password begins or ends with white space", new() { Username = "u", Password = new string(' ', 20) } },
        {
            "Webhook__PreviousPassword begins or ends with white space",
            new() { Username = "u", Password = Good, PreviousPassword = $"{Good}\u00A0" }
        },
        { "Webhook__Password contains a character outside printable ASCII", new() { Username = "u", Password = $"größtes-{Good}" } },
        { "Webhook__Password contains a character outside printable ASCII", new() { Username = "u", Password = $"a\t{Good}" } },
        { "Webhook__Password contains a character outside printable ASCII", new() { Username = "u", Password = $"{Good}\u007F" } },
        {
            "Webhook__PreviousPassword contains a character outside printable ASCII",
            new() { Username = "u", Password = Good, PreviousPassword = $"{Good}\u200B" }
        },
        { "Webhook__Username begins or ends with white space", new() { Username = "u ", Password = Good } },
        { "Webhook__Username begins or ends with white space", new() { Username = " ", Password = Good } },
        { "Webhook__Username contains a character outside printable ASCII", new() { Username = "jürgen", Password = Good } },
        { "Webhook__Username contains a character outside printable ASCII", new() { Username = "a\0b", Password = Good } },
        { "Webhook__Accept", new() { Username = "u", Password = Good, Accept = SecretWays.None } },
        { "Webhook__AllowAnonymous is true, but a Webhook__Password is set", new() { Password = Good, AllowAnonymous = true } },
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
    public void The_samples_password_is_refused_wherever_others_can_reach_the_app()
    {
        var sample = new WebhookOptions { Username = "u", Password = WebhookOptions.SamplePassword };
        var previous = new WebhookOptions { Username = "u", Password = Good, PreviousPassword = WebhookOptions.SamplePassword };

        Assert.Empty(Failures(sample));
        Assert.Empty(Failures(previous));
        Assert.Contains("the sample's", Assert.Single(Failures(sample, isPublic: true)), StringComparison.Ordinal);
        Assert.StartsWith("Webhook__PreviousPassword", Assert.Single(Failures(previous, isPublic: true)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_may_have_any_printable_ASCII_character_inside()
    {
        var all = string.Concat(Enumerable.Range(0x20, 0x7F - 0x20).Select(c => (char)c));

        Assert.Empty(Failures(new() { Username = all.Trim().Replace(":", string.Empty, StringComparison.Ordinal), Password = $"a{all}" }));
    }

    [Fact]
    public void Anonymous_needs_no_secret() => Assert.Empty(Failures(new() { AllowAnonymous = true }));

    private static IEnumerable<string> Failures(WebhookOptions options, bool isPublic = false) =>
        new WebhookOptionsValidator(new AppEnvironment(IsAzure: false, isPublic)).Validate(null, options).Failures ?? [];
}
