using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>Who gets in, over a real socket: every way × secret × setting × route.</summary>
public sealed class AccessTests(AzuriteFixture azurite)
{
    private const string Current = "right-horse-battery-staple";
    private const string Previous = "older-horse-battery-staple";

    private static readonly SecretWays[] Ways = [SecretWays.Basic, SecretWays.Bearer, SecretWays.Query, SecretWays.Path];

    public static TheoryData<SecretWays> EveryAccept => [.. Enumerable.Range(1, 15).Select(i => (SecretWays)i)];

    [Theory]
    [MemberData(nameof(EveryAccept))]
    public async Task Exactly_the_accepted_ways_let_exactly_the_right_secrets_in(SecretWays accept)
    {
        await using var app = await StartAsync(new() { ["Webhook:Accept"] = accept.ToString(), ["Webhook:PreviousPassword"] = Previous });
        var accepted = 0;
        foreach (var way in Ways)
        {
            foreach (var (secret, isRight) in new (string? Secret, bool IsRight)[]
                {
                    (Current, true),
                    (Previous, true),
                    ("wrong-horse-battery-staple", false),
                    (null, false),
                    (string.Empty, false),
                })
            {
                var expected = isRight && accept.HasFlag(way) ? HttpStatusCode.OK : HttpStatusCode.Unauthorized;
                Assert.Equal((way, secret, expected), (way, secret, await PostAsync(app, "webhook/smtp2go", way, secret)));
                accepted += expected == HttpStatusCode.OK ? 1 : 0;

                // The other route, if the way is not the path itself: the secret in the path is empty or wrong and decides nothing.
                if (way != SecretWays.Path)
                {
                    Assert.Equal((way, secret, expected), (way, secret, await PostAsync(app, "webhook/smtp2go_", way, secret)));
                    Assert.Equal((way, secret, expected), (way, secret, await PostAsync(app, "webhook/smtp2go_wrong", way, secret)));
                    accepted += expected == HttpStatusCode.OK ? 2 : 0;
                }

                Assert.Equal(HttpStatusCode.NotFound, await PostAsync(app, "webhook/other", way, secret));
            }
        }

        Assert.Equal(accepted, accepted == 0 ? 0 : (await app.Queue.GetPropertiesAsync(Test.Token)).Value.ApproximateMessagesCount);
    }

    [Fact]
    public async Task Without_a_previous_password_an_empty_one_is_not_accepted()
    {
        await using var app = await StartAsync(new() { ["Webhook:PreviousPassword"] = string.Empty });

        foreach (var way in Ways)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(app, "webhook/smtp2go", way, string.Empty));
        }
    }

    [Theory]
    [InlineData("127.0.0.1", null, null, HttpStatusCode.OK)]
    [InlineData("127.0.0.0/8,192.0.2.1", null, null, HttpStatusCode.OK)]
    [InlineData("192.0.2.1", null, null, HttpStatusCode.Forbidden)]
    [InlineData("192.0.2.1", null, "192.0.2.1", HttpStatusCode.Forbidden)]
    [InlineData("192.0.2.1", "1", "192.0.2.1:4711", HttpStatusCode.OK)]
    [InlineData("192.0.2.1", "1", "192.0.2.1, 6.6.6.6", HttpStatusCode.Forbidden)]
    [InlineData("192.0.2.1", "2", "192.0.2.1, 6.6.6.6", HttpStatusCode.OK)]
    [InlineData("known.example", null, null, HttpStatusCode.OK)]
    [InlineData("other.example", null, null, HttpStatusCode.Forbidden)]
    [InlineData("unknown.example", null, null, HttpStatusCode.ServiceUnavailable)]
    public async Task The_source_comes_before_the_secret(string allowed, string? proxies, string? forwardedFor, HttpStatusCode expected)
    {
        Dictionary<string, string?> settings = new() { ["Webhook:AllowedSources"] = allowed, ["Webhook:TrustedProxies"] = proxies };
        await using var app = await StartAsync(settings, services =>
            services.AddSingleton<ResolveHost>((host, _) => host switch
            {
                "known.example" => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
                "other.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("192.0.2.1")]),
                _ => throw new System.Net.Sockets.SocketException(),
            }));

        foreach (var secret in new[] { Current, "wrong-horse-battery-staple" })
        {
            using var request = NewRequest("webhook/smtp2go", SecretWays.Bearer, secret);
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
            using var answer = await app.Client.SendAsync(request, Test.Token);

            Assert.Equal(expected == HttpStatusCode.OK && secret != Current ? HttpStatusCode.Unauthorized : expected, answer.StatusCode);
            Assert.Equal(expected == HttpStatusCode.ServiceUnavailable, answer.Headers.RetryAfter is not null);
        }

        // SMTP2GO checks the URL from wherever it likes.
        using var check = await app.Client.GetAsync("webhook/smtp2go", Test.Token);
        Assert.Equal(HttpStatusCode.OK, check.StatusCode);
    }

    [Fact]
    public async Task The_log_of_a_refused_source_says_how_many_hops_there_were()
    {
        using var emitted = new Emitted();
        await using var app = await StartAsync(
            new() { ["Webhook:AllowedSources"] = "192.0.2.1", ["Webhook:TrustedProxies"] = "1" }, emitted.AddTo);
        using var request = NewRequest("webhook/smtp2go", SecretWays.Bearer, Current);
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "192.0.2.1, 198.51.100.1, 198.51.100.2");

        using var answer = await app.Client.SendAsync(request, Test.Token);

        Assert.Contains(emitted.Lines, line => line.Contains("named 3 hops and Webhook__TrustedProxies is 1", StringComparison.Ordinal));
        Assert.Contains(emitted.Lines, line => line.Contains("webhooks.refused 1 [reason, source]", StringComparison.Ordinal));
    }

    private async Task<IngestApp> StartAsync(Dictionary<string, string?> settings, Action<IServiceCollection>? configure = null)
    {
        settings["Webhook:Password"] = Current;
        return await IngestApp.StartAsync(azurite.NewAccount(), settings, configure, pump: false);
    }

    private static async Task<HttpStatusCode> PostAsync(IngestApp app, string path, SecretWays way, string? secret)
    {
        using var request = NewRequest(path, way, secret);
        using var answer = await app.Client.SendAsync(request, Test.Token);
        return answer.StatusCode;
    }

    private static HttpRequestMessage NewRequest(string path, SecretWays way, string? secret)
    {
        if (secret is not null)
        {
            path += way switch
            {
                SecretWays.Query => $"?p={secret}",
                SecretWays.Path when path == "webhook/smtp2go" => $"_{secret}",
                _ => string.Empty,
            };
        }

        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("event=open") };
        request.Headers.Authorization = (way, secret) switch
        {
            (_, null) => null,
            (SecretWays.Basic, _) => IngestApp.Basic(IngestApp.Username, secret),
            (SecretWays.Bearer, _) => new AuthenticationHeaderValue("Bearer", secret),
            _ => null,
        };
        return request;
    }
}
