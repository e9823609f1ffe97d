using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>What <see cref="StorageProxy.Injected"/> counts by.</summary>
public sealed record FaultCount(StorageService Service, string Operation, FaultKind Kind);

/// <summary>
/// Sits in front of a storage account's three services, on its own ports, and makes requests fail as <see cref="Choose"/> says.
/// YARP forwards the others.
/// </summary>
public sealed partial class StorageProxy : IAsyncDisposable
{
    // The app's largest request is a transaction, 4 MiB.
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

    /// <summary>The fault for a request, or null to pass it on unchanged. Called from many threads at once.</summary>
    public Func<StorageRequest, Fault?> Choose { get; set; } = static _ => null;

    /// <summary>How often each operation got each fault.</summary>
    public IReadOnlyDictionary<FaultCount, int> Injected => injected;

    /// <summary>Starts it in front of the Azurite that the connection string names.</summary>
    public static async Task<StorageProxy> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var proxy = new StorageProxy(connectionString);
        foreach (var service in Enum.GetValues<StorageService>())
        {
            proxy.front[service] = await proxy.ListenAsync(service, cancellationToken);
        }

        return proxy;
    }

    /// <summary>An account of the Azurite behind it, reached through the proxy. It stays valid after <see cref="SendTo"/>.</summary>
    public string ConnectionStringOf(string connectionString) =>
        Endpoint()
            .Replace(connectionString, match =>
            {
                var service = match.Groups["service"].Value;
                return $"{service}Endpoint={front[Enum.Parse<StorageService>(service)].Urls.Single()}";
            });

    /// <summary>Forwards to another Azurite from now on: after a restart, it listens on other ports.</summary>
    public void SendTo(string connectionString) => back = OriginsOf(connectionString);

    /// <summary>Takes a service down, or brings it back. While it is down, every request's connection breaks at once.</summary>
    public void SetAway(StorageService service, bool isAway) => away[service] = isAway;

    /// <summary>Waits until no request is in flight.</summary>
    public async Task QuietAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref inFlight) > 0)
        {
            await Task.Delay(20, cancellationToken);
        }
    }

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
        // Read to the end first: a fault may be chosen by the body, and a drop "before" must not cut off a request halfway.
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
            await (fault.Release?.WaitAsync(context.RequestAborted) ?? Task.Delay(fault.Time, context.RequestAborted));
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
            case FaultKind.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
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
}
