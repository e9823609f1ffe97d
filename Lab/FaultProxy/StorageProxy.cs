using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>How often a fault befell an operation.</summary>
/// <param name="Service">The service.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Kind">The kind of fault.</param>
public sealed record FaultCount(StorageService Service, string Operation, FaultKind Kind);

/// <summary>
/// Stands before the three services of a storage account on ports of its own, and lets requests fail as <see cref="Choose"/> says. What it
/// passes on, YARP passes on.
/// </summary>
public sealed partial class StorageProxy : IAsyncDisposable
{
    // The largest request of the app is a transaction, 4 MiB.
    private const int MaxRequestBytes = 16 * 1024 * 1024;

    private static readonly ForwarderRequestConfig Forwarding = new() { ActivityTimeout = TimeSpan.FromSeconds(100) };

    private readonly HttpMessageInvoker client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
    });

    private readonly ConcurrentDictionary<FaultCount, int> injected = new();
    private readonly ConcurrentDictionary<StorageService, bool> away = new();
    private readonly Dictionary<StorageService, WebApplication> front = [];
    private Dictionary<StorageService, string> back;
    private int inFlight;

    private StorageProxy(string connectionString) => back = OriginsOf(connectionString);

    /// <summary>The fault of a request, or null to pass it on as it is. Called from many threads at once.</summary>
    public Func<StorageRequest, Fault?> Choose { get; set; } = static _ => null;

    /// <summary>How often each fault befell each operation.</summary>
    public IReadOnlyDictionary<FaultCount, int> Injected => injected;

    /// <summary>Starts it before an account of Azurite.</summary>
    /// <param name="connectionString">Azurite's own.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<StorageProxy> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var proxy = new StorageProxy(connectionString);
        foreach (var service in Enum.GetValues<StorageService>())
        {
            proxy.front[service] = await proxy.ListenAsync(service, cancellationToken);
        }

        return proxy;
    }

    /// <summary>The same account, reached through the proxy; it stays the same whatever <see cref="SendTo"/> is told.</summary>
    /// <param name="connectionString">Any account of the Azurite behind it.</param>
    public string ConnectionStringOf(string connectionString) =>
        Endpoint()
            .Replace(
                connectionString, match =>
                    $"{match.Groups["service"].Value}Endpoint={front[Enum.Parse<StorageService>(match.Groups["service"].Value)].Urls.Single()}");

    /// <summary>Passes requests on to another Azurite from now on: one that was started again listens on other ports.</summary>
    /// <param name="connectionString">Its own.</param>
    public void SendTo(string connectionString) => back = OriginsOf(connectionString);

    /// <summary>Takes a service away, or brings it back.</summary>
    /// <param name="service">The service.</param>
    /// <param name="isAway">True breaks every connection as soon as something is asked.</param>
    public void SetAway(StorageService service, bool isAway) => away[service] = isAway;

    /// <summary>Waits until no request is on its way.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task QuietAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref inFlight) > 0)
        {
            await Task.Delay(20, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var app in front.Values)
        {
            await app.DisposeAsync();
        }

        client.Dispose();
    }

    private async Task<WebApplication> ListenAsync(StorageService service, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxRequestBytes);
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        app.Run(async context =>
        {
            Interlocked.Increment(ref inFlight);
            try
            {
                await AnswerAsync(service, context, forwarder);
            }
            finally
            {
                Interlocked.Decrement(ref inFlight);
            }
        });
        await app.StartAsync(cancellationToken);
        return app;
    }

    private async Task AnswerAsync(StorageService service, HttpContext context, IHttpForwarder forwarder)
    {
        // Read to its end before anything befalls it: a fault may be chosen by it, and a drop "before" is not a torn request.
        context.Request.EnableBuffering(MaxRequestBytes, MaxRequestBytes);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        context.Request.Body.Position = 0;
        var request = StorageRequest.Of(service, context.Request, body.GetBuffer().AsMemory(0, (int)body.Length));

        var fault = away.GetValueOrDefault(service) ? Fault.Away : Choose(request);
        if (fault is not null)
        {
            injected.AddOrUpdate(new FaultCount(service, request.Operation, fault.Kind), 1, static (_, count) => count + 1);
        }

        if (fault?.Kind == FaultKind.Delay)
        {
            await Task.Delay(fault.Time, context.RequestAborted);
        }

        if (fault is not { TakesEffect: false })
        {
            HttpTransformer answer = fault?.Kind switch
            {
                null or FaultKind.Delay => WholeAnswer.Instance,
                FaultKind.CutAnswer => HalfAnAnswer.Instance,
                _ => NoAnswer.Instance,
            };
            await forwarder.SendAsync(context, back[service], client, Forwarding, answer);
        }

        switch (fault?.Kind)
        {
            case FaultKind.Error:
                await AzureError.WriteAsync(context.Response, request, fault.Status, fault.ErrorCode!);
                break;
            case FaultKind.Garbage:
                context.Response.StatusCode = fault.Status;
                context.Response.ContentType = fault.ContentType;
                await context.Response.Body.WriteAsync(fault.Bytes, context.RequestAborted);
                break;
            case FaultKind.DropBefore or FaultKind.DropAfter or FaultKind.CutAnswer or FaultKind.Away:
                context.Abort();
                break;
        }
    }

    private static Dictionary<StorageService, string> OriginsOf(string connectionString) =>
        Endpoint()
            .Matches(connectionString)
            .ToDictionary(match => Enum.Parse<StorageService>(match.Groups["service"].Value), match => match.Groups["origin"].Value);

    [GeneratedRegex(
        "(?<service>Blob|Queue|Table)Endpoint=(?<origin>https?://[^/;]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Endpoint();

    private class WholeAnswer : HttpTransformer
    {
        // To the letter: the signature is over the path as the client escaped it.
        private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

        public static WholeAnswer Instance { get; } = new();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.RequestUri = new Uri(
                destinationPrefix + httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, AsItIs);
        }
    }

    /// <summary>Takes the service's answer and passes nothing of it on.</summary>
    private sealed class NoAnswer : WholeAnswer
    {
        public static new NoAnswer Instance { get; } = new();

        public override ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext,
            HttpResponseMessage? proxyResponse,
            CancellationToken cancellationToken) => ValueTask.FromResult(false);
    }

    /// <summary>Passes the head and half of the body on.</summary>
    private sealed class HalfAnAnswer : WholeAnswer
    {
        public static new HalfAnAnswer Instance { get; } = new();

        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
            if (proxyResponse is not null && await proxyResponse.Content.ReadAsByteArrayAsync(cancellationToken) is { Length: > 1 } bytes)
            {
                await httpContext.Response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), cancellationToken);
                await httpContext.Response.Body.FlushAsync(cancellationToken);
            }

            return false;
        }
    }
}
