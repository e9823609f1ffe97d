using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Options;
using Polly;

namespace Smtp2GoIngest.Reconciling;

/// <summary>How SMTP2GO is called: within its limit, with retries where one can help, and without leaving the key anywhere.</summary>
internal static class Smtp2GoCalls
{
    private const string KeyHeader = "X-Smtp2go-Api-Key";

    // With the waits below, a call gives up after 22 minutes of 429, or after two of failures, and nine if each try times out.
    private const int MaxRetries = 6;

    // "429 for at least a minute": SMTP2GO, rate limiting. Then twice as long, up to what still makes sense.
    private static readonly TimeSpan FirstWaitOfLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan FirstWaitOfFailure = TimeSpan.FromSeconds(2);

    public static IServiceCollection AddSmtp2GoClient(this IServiceCollection services)
    {
        services.AddTransient<Smtp2GoPace>();
        services.AddSingleton<Smtp2GoClient>();
        var client = services.AddHttpClient(Smtp2GoClient.HttpClientName, (provider, http) =>
        {
            var options = provider.GetRequiredService<IOptions<Smtp2GoOptions>>().Value;
            http.BaseAddress = options.BaseUrl;
            if (options.HasKey)
            {
                http.DefaultRequestHeaders.Add(KeyHeader, options.ApiKey);
            }

            // Each try has its own limit, and the number of tries is limited.
            http.Timeout = Timeout.InfiniteTimeSpan;
        });

        // One handler for ever: it knows when the last call was. The sockets below it follow changes of DNS.
        client.SetHandlerLifetime(Timeout.InfiniteTimeSpan);
        client.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            // A redirect would show the key to whoever it leads to.
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        });

        // At Trace, they write headers, and it is for others to say which of them are hidden.
        client.RemoveAllLoggers();
        client.AddHttpMessageHandler(static services => Retries(services.GetRequiredService<TimeProvider>()));

        // Below the retries, so that it sees each of them.
        client.AddHttpMessageHandler<Smtp2GoPace>();
        return services;
    }

    // Made with the first client: AddResilienceHandler would load all of Polly when the app starts, and log exceptions, which may name a
    // proxy with its password.
    private static ResilienceHandler Retries(TimeProvider time) => new(
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new HttpRetryStrategyOptions
            {
                MaxRetryAttempts = MaxRetries,
                ShouldHandle = retry => ValueTask.FromResult(IsWorthATry(retry.Outcome, time)),
                DelayGenerator = retry => ValueTask.FromResult<TimeSpan?>(WaitBefore(retry.AttemptNumber, retry.Outcome.Result, time)),
            })
            .Build());

    // Never another 4xx: the same call would be refused again, and too many errors are limited as well.
    private static bool IsWorthATry(Outcome<HttpResponseMessage> outcome, TimeProvider time) =>
        outcome.Exception is HttpRequestException { HttpRequestError: not HttpRequestError.ConfigurationLimitExceeded } or TimeoutException
        || (outcome.Result is { StatusCode: HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } answer
            && !(AskedWait(answer, time) > LongestWait));

    private static TimeSpan WaitBefore(int tries, HttpResponseMessage? answer, TimeProvider time)
    {
        var first = answer?.StatusCode == HttpStatusCode.TooManyRequests ? FirstWaitOfLimit : FirstWaitOfFailure;
        var wait = first * Math.Pow(2, tries) is var own && own < LongestWait ? own : LongestWait;
        return AskedWait(answer, time) is { } asked && asked > TimeSpan.Zero ? asked : wait;
    }

    private static TimeSpan? AskedWait(HttpResponseMessage? answer, TimeProvider time) =>
        answer?.Headers.RetryAfter is { } after ? after.Delta ?? after.Date - time.GetUtcNow() : null;
}
