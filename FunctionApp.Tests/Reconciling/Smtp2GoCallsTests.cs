using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Reconciling;
using Client = Smtp2GoIngest.Reconciling.Smtp2GoClient;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>How SMTP2GO is called, over real sockets: when again, for how long, and what nobody else gets to see.</summary>
public sealed class Smtp2GoCallsTests
{
    private const string Key = "api-8899AABBCCDDEEFF0011223344556677";
    private const string HttpClientName = "smtp2go";

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 9, 0, 0, TimeSpan.Zero);

    private readonly PassingTime time = new(Start);

    [Theory]
    [InlineData(45, false)]
    [InlineData(90, false)]
    [InlineData(90, true)]
    [InlineData(300, false)]
    public async Task It_waits_as_long_as_SMTP2GO_asks_for(int seconds, bool asDate)
    {
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time, RetryAfter(seconds, asDate));
        await using var services = Services(smtp2Go.Url);

        await CallAsync(services);

        var (first, second) = (smtp2Go.Calls.First().Time, smtp2Go.Calls.Last().Time);
        Assert.Equal(2, smtp2Go.Calls.Count);
        Assert.InRange(second - first, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds + 2));
    }

    [Theory]
    [InlineData(301, false)]
    [InlineData(301, true)]
    [InlineData(86_400, false)]
    public async Task If_it_is_to_wait_longer_than_five_minutes_it_gives_up_at_once(int seconds, bool asDate)
    {
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time, RetryAfter(seconds, asDate));
        await using var services = Services(smtp2Go.Url);

        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => CallAsync(services));

        Assert.Equal(429, e.Status);
        Assert.Contains("Try again later", e.Message, StringComparison.Ordinal);
        Assert.Single(smtp2Go.Calls);
        Assert.Equal(Start, time.GetUtcNow());
    }

    [Theory]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var other = await Smtp2GoStub.StartAsync(time);
        await using var smtp2Go = await Smtp2GoStub.StartAsync(
            time, Smtp2GoStub.Status(status, "Location", $"{other.Url}activity/search"));
        await using var services = Services(smtp2Go.Url);

        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => CallAsync(services));

        Assert.Contains("redirect", e.Message, StringComparison.Ordinal);
        Assert.Single(smtp2Go.Calls);
        Assert.Empty(other.Calls);
    }

    [Fact]
    public async Task A_try_of_more_than_a_minute_is_ended_and_made_again()
    {
        var came = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time, context =>
        {
            context.RequestAborted.Register(ended.SetResult);
            came.SetResult();
            return ended.Task;
        });
        await using var services = Services(smtp2Go.Url);

        var call = CallAsync(services);
        await came.Task.WaitAsync(Test.Token);

        Assert.Equal(0, time.Pass(TimeSpan.FromSeconds(59)));
        Assert.Equal(1, time.Pass(TimeSpan.FromSeconds(2)));
        await call;
        Assert.Equal(2, smtp2Go.Calls.Count);
        await ended.Task.WaitAsync(Test.Token);
    }

    [Fact]
    public async Task A_body_that_drips_ends_with_its_try()
    {
        var hasHeaders = new TaskCompletionSource();
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time, async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(" "u8.ToArray(), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(5, context.RequestAborted);
            }
        });
        await using var services = Services(smtp2Go.Url, services => services
            .AddHttpClient(HttpClientName).AddHttpMessageHandler(() => new Afterwards(() => hasHeaders.TrySetResult())));

        var call = CallAsync(services);
        await hasHeaders.Task.WaitAsync(Test.Token);

        Assert.Equal(1, time.Pass(TimeSpan.FromSeconds(61)));
        await Eventually.Get(() => Task.FromResult(smtp2Go.Calls.Count), count => count == 2);
        await call;
    }

    [Fact]
    public async Task An_answer_that_is_far_too_large_is_not_read_to_its_end()
    {
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time, async context =>
        {
            var blanks = new byte[256 * 1024];
            Array.Fill(blanks, (byte)' ');
            for (var i = 0; i < 65 * 4; i++)
            {
                await context.Response.Body.WriteAsync(blanks, context.RequestAborted);
            }

            await context.Response.WriteAsync("""{"data":{"total_events":0,"events":[]}}""", context.RequestAborted);
        });
        await using var services = Services(smtp2Go.Url);

        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => CallAsync(services));

        Assert.Contains("cannot be read", e.Message, StringComparison.Ordinal);
        Assert.Single(smtp2Go.Calls);
    }

    [Fact]
    public async Task Two_that_call_at_once_share_the_sixty_calls_of_a_minute()
    {
        var account = new Smtp2GoAccount(Start);
        account.Keys.Add(new ApiKey(Key));

        // A try may take three seconds of the machine's clock.
        var scaled = new ScaledTime(Start, speed: 20);
        await using var smtp2Go = await Smtp2GoServer.StartAsync(account, scaled, 0, Test.Token);
        await using var services = Services(new Uri(smtp2Go.Url), clock: scaled);

        await Task.WhenAll(RunAsync(), RunAsync());

        Assert.InRange(smtp2Go.Calls.Count, 70, int.MaxValue);
        Assert.InRange(ApiCall.MostInAMinute(smtp2Go.Calls), 1, 60);

        async Task RunAsync()
        {
            for (var i = 0; i < 35; i++)
            {
                await CallAsync(services);
            }
        }
    }

    [Fact]
    public async Task The_key_is_in_its_header_and_nowhere_else()
    {
        await using var smtp2Go = await Smtp2GoStub.StartAsync(time);
        await using var services = Services(smtp2Go.Url);
        var client = services.GetRequiredService<Client>();

        await CallAsync(services);
        await client.ViewWebhooksAsync(Test.Token);
        await client.PermissionsAsync(Test.Token);

        Assert.Equal(["/activity/search", "/webhook/view", "/api_keys/permissions"], smtp2Go.Calls.Select(call => call.Target));
        foreach (var call in smtp2Go.Calls)
        {
            var places = call.Headers.Append(call.Target).Append(call.Body)
                .Where(text => text.Contains(Key[4..], StringComparison.Ordinal));
            Assert.Equal($"X-Smtp2go-Api-Key: {Key}", Assert.Single(places));
        }
    }

    /// <summary>The runtime's exception names a proxy as it is set, with its password.</summary>
    [Fact]
    public async Task Nothing_is_logged_at_any_level_and_no_password_of_a_proxy_is_shown()
    {
        const string password = "correct-horse-of-the-proxy";
        using var emitted = new Emitted();
        await using var proxy = await Smtp2GoStub.StartAsync(time, Enumerable.Repeat(Smtp2GoStub.Status(407), 100));
        var address = new WebProxy(new UriBuilder(proxy.Url) { UserName = "app", Password = password }.Uri);
        using var plain = new HttpClient(new SocketsHttpHandler { Proxy = address });
        await using var services = Services(new Uri("https://api.smtp2go.test/v3"), services => services
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(emitted))
            .AddHttpClient(HttpClientName)
            .ConfigurePrimaryHttpMessageHandler((handler, _) => ((SocketsHttpHandler)handler).Proxy = address));

        var shown = await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync("https://api.smtp2go.test/", Test.Token));
        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => CallAsync(services));

        Assert.Contains(password, shown.Message, StringComparison.Ordinal);
        Assert.Equal(8, proxy.Calls.Count);
        Assert.DoesNotContain(password, e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(emitted.Lines, line => line.Contains(password, StringComparison.Ordinal));
        Assert.DoesNotContain(emitted.Lines, line => line.StartsWith("log ", StringComparison.Ordinal));
        Assert.DoesNotContain(emitted.Lines, line => line.StartsWith("scope ", StringComparison.Ordinal));
    }

    private static Func<HttpContext, Task> RetryAfter(int seconds, bool asDate) => Smtp2GoStub.Status(
        429,
        "Retry-After",
        asDate ? Start.AddSeconds(seconds).ToString("R", CultureInfo.InvariantCulture) : $"{seconds}");

    private ServiceProvider Services(Uri url, Action<IServiceCollection>? configure = null, TimeProvider? clock = null)
    {
        var services = new ServiceCollection()
            .AddSingleton(clock ?? time)
            .AddSmtp2GoIngest(new ConfigurationBuilder()
                .AddInMemoryCollection([new("Smtp2Go:ApiKey", Key), new("Smtp2Go:ApiUrl", url.ToString())])
                .Build());
        configure?.Invoke(services);
        return services.BuildServiceProvider();
    }

    private static Task<Smtp2GoIngest.Reconciling.ActivityPage> CallAsync(IServiceProvider services) =>
        services.GetRequiredService<Client>().SearchActivityAsync(
            new Smtp2GoIngest.Reconciling.ActivitySearch(Start, Start.AddHours(1)), null, Test.Token);

    /// <summary>Says when an answer has begun.</summary>
    private sealed class Afterwards(Action say) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            say();
            return answer;
        }
    }
}
