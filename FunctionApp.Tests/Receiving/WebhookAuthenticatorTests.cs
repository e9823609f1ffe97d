using System.Text;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.Receiving;

public sealed class WebhookAuthenticatorTests
{
    private const string Current = "right-horse-battery-staple";
    private const string Previous = "older-horse-battery-staple";

    [Theory]
    [InlineData(Current, AuthenticationResult.Accepted)]
    [InlineData(Previous, AuthenticationResult.Accepted)]
    [InlineData("right-horse-battery-staplf", AuthenticationResult.Wrong)]
    [InlineData("", AuthenticationResult.Missing)]
    [InlineData(null, AuthenticationResult.Missing)]
    public void Each_way_accepts_the_current_and_the_previous_secret(string? secret, AuthenticationResult expected)
    {
        var authenticator = NewAuthenticator();

        Assert.Equal(expected, authenticator.Authenticate(Query(secret)));
        Assert.Equal(expected, authenticator.Authenticate(Path(secret)));
        Assert.Equal(expected, authenticator.Authenticate(Header(secret is { Length: > 0 } ? $"Bearer {secret}" : null)));
        Assert.Equal(expected, authenticator.Authenticate(Header(secret is { Length: > 0 } ? Basic($"smtp2go:{secret}") : null)));
    }

    [Theory]
    [InlineData("smtp2go:" + Current, AuthenticationResult.Accepted)]
    [InlineData("Smtp2go:" + Current, AuthenticationResult.Wrong)]
    [InlineData(":" + Current, AuthenticationResult.Wrong)]
    [InlineData(Current, AuthenticationResult.Wrong)]
    [InlineData(Current + ":smtp2go", AuthenticationResult.Wrong)]
    [InlineData("smtp2go:", AuthenticationResult.Wrong)]
    public void Basic_needs_user_name_and_password(string credentials, AuthenticationResult expected) =>
        Assert.Equal(expected, NewAuthenticator().Authenticate(Header(Basic(credentials))));

    [Theory]
    [InlineData("basic")]
    [InlineData("BASIC")]
    public void The_case_of_the_scheme_does_not_matter(string scheme) =>
        Assert.Equal(
            AuthenticationResult.Accepted,
            NewAuthenticator().Authenticate(Header(Basic($"smtp2go:{Current}").Replace("Basic", scheme, StringComparison.Ordinal))));

    [Theory]
    [InlineData("Basic not-base64!")]
    [InlineData("Basic " + Current)]
    [InlineData("Bearer smtp2go:" + Current)]
    public void A_secret_in_the_wrong_shape_is_wrong(string header) =>
        Assert.Equal(AuthenticationResult.Wrong, NewAuthenticator().Authenticate(Header(header)));

    [Theory]
    [InlineData("Digest " + Current)]
    [InlineData(Current)]
    [InlineData("Basic")]
    public void Another_scheme_counts_as_no_secret(string header) =>
        Assert.Equal(AuthenticationResult.Missing, NewAuthenticator().Authenticate(Header(header)));

    [Theory]
    [InlineData(SecretWays.Basic)]
    [InlineData(SecretWays.Bearer)]
    [InlineData(SecretWays.Query)]
    [InlineData(SecretWays.Path)]
    public void Only_an_accepted_way_counts(SecretWays accept)
    {
        var authenticator = NewAuthenticator(accept);

        Assert.Equal(accept == SecretWays.Basic, IsAccepted(Header(Basic($"smtp2go:{Current}"))));
        Assert.Equal(accept == SecretWays.Bearer, IsAccepted(Header($"Bearer {Current}")));
        Assert.Equal(accept == SecretWays.Query, IsAccepted(Query(Current)));
        Assert.Equal(accept == SecretWays.Path, IsAccepted(Path(Current)));

        bool IsAccepted(PresentedSecrets secrets) => authenticator.Authenticate(secrets) == AuthenticationResult.Accepted;
    }

    [Fact]
    public void One_correct_secret_among_wrong_ones_is_enough() => Assert.Equal(
        AuthenticationResult.Accepted,
        NewAuthenticator().Authenticate(new PresentedSecrets(["Bearer wrong"], ["wrong", Current, "wrong"], "wrong")));

    private static PresentedSecrets Header(string? header) => new([header], [], null);

    private static PresentedSecrets Query(string? secret) => new([], [secret], null);

    private static PresentedSecrets Path(string? secret) => new([], [], secret);

    private static string Basic(string credentials) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}";

    private static WebhookAuthenticator NewAuthenticator(SecretWays? accept = null)
    {
        var options = new WebhookOptions { Username = "smtp2go", Password = Current, PreviousPassword = Previous };
        options.Accept = accept ?? options.Accept;
        return new WebhookAuthenticator(options);
    }
}
