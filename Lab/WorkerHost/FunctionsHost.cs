using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Lab.WorkerHost.Rpc;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Lab.WorkerHost;

/// <summary>Acts as a worker's Functions host: starts its process, lets it index and load its functions, and calls them.</summary>
/// <remarks>
/// Follows the public source of both. Host: https://github.com/Azure/azure-functions-host, <c>src/WebJobs.Script.Grpc</c>, above all
/// <c>GrpcWorkerChannel.cs</c>, <c>DefaultHttpProxyService.cs</c> and <c>ScriptInvocationContextExtensions.cs</c>. Worker:
/// https://github.com/Azure/azure-functions-dotnet-worker, <c>src/DotNetWorker.Grpc/GrpcWorker.cs</c> and
/// <c>extensions/Worker.Extensions.Http.AspNetCore</c>.
/// </remarks>
public sealed class FunctionsHost : IAsyncDisposable
{
    // The worker picks a free port some time before it listens on it.
    private const int Tries = 3;

    private readonly FunctionsHostRpc rpc = new();
    private readonly WebApplication app;
    private readonly ListenOptions[] ports = new ListenOptions[2];
    private FunctionsHostFront? front;
    private FunctionsHostWorker? worker;

    private FunctionsHost()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, port => (ports[0] = port).Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, port => (ports[1] = port).Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = null);
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(rpc);
        app = builder.Build();
        app.MapGrpcService<FunctionsHostRpc>();
        app.MapFallback("{**path}", context => front!.AnswerAsync(context));
        Client = new HttpClient();
    }

    /// <summary>Talks to the host's own HTTP port.</summary>
    public HttpClient Client { get; }

    public Uri Url => Client.BaseAddress!;

    /// <summary>As the worker answered.</summary>
    public IReadOnlyList<RpcFunctionMetadata> Functions { get; private set; } = [];

    /// <summary>What the worker logged, to the host and to its output.</summary>
    public IEnumerable<string> Log =>
        rpc.Log.Select(line => $"{line.Level} {line.EventId} {line.Message} {line.Exception}").Concat(worker!.Output);

    public FunctionsHostWorker Worker => worker!;

    /// <summary>Starts a worker; returns when it can be called.</summary>
    /// <param name="folder">What is deployed.</param>
    /// <param name="settings">Environment variables, also with colons in their names; one that is null is removed.</param>
    public static async Task<FunctionsHost> StartAsync(
        string folder, IReadOnlyCollection<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var host = new FunctionsHost();
            try
            {
                await host.StartAsync(folder, settings, cancellationToken);
                return host;
            }
            catch (Exception) when (attempt < Tries && host.worker?.Output.Any(IsPortTaken) == true)
            {
                await host.DisposeAsync();
            }
            catch (Exception e)
            {
                var output = string.Join('\n', host.worker?.Output ?? []);
                await host.DisposeAsync();
                throw new InvalidOperationException($"The worker did not start: {output}", e);
            }
        }
    }

    /// <summary>Calls a function with a message, as the queue trigger does.</summary>
    public Task<InvocationResponse> DeliverAsync(string function, QueueMessage message, string? invocationId = null) =>
        InvokeAsync(function, FunctionsHostMessages.Message(message), invocationId);

    /// <summary>Calls a function as its timer does.</summary>
    public Task<InvocationResponse> TickAsync(string function, string? invocationId = null) =>
        InvokeAsync(function, FunctionsHostMessages.Tick(), invocationId);

    /// <summary>Asks the worker to cancel a call, as the host does when it stops; ends when the worker has heard of it.</summary>
    public async Task CancelAsync(string invocationId)
    {
        rpc.Send(new() { InvocationCancel = new() { InvocationId = invocationId } });
        await rpc.AskAsync(new() { WorkerStatusRequest = new() });
    }

    public async Task<InvocationResponse> InvokeAsync(string function, InvocationRequest request, string? invocationId = null)
    {
        if (request.InvocationId.Length == 0)
        {
            request.InvocationId = invocationId ?? $"{Guid.NewGuid()}";
        }

        request.FunctionId = Functions.Single(f => f.Name == function).FunctionId;
        request.TraceContext = new();
        return (await rpc.AskAsync(new() { InvocationRequest = request }, request.InvocationId)).InvocationResponse;
    }

    public async ValueTask DisposeAsync()
    {
        worker?.Dispose();
        Client.Dispose();
        front?.Dispose();
        await app.DisposeAsync();
    }

    private static bool IsPortTaken(string line) => line.Contains("address already in use", StringComparison.OrdinalIgnoreCase);

    private async Task StartAsync(
        string folder, IEnumerable<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        await app.StartAsync(cancellationToken);
        Client.BaseAddress = new Uri($"http://{ports[1].IPEndPoint}");
        worker = FunctionsHostWorker.Start(folder, new Uri($"http://{ports[0].IPEndPoint}"), settings);
        await Task.WhenAny(rpc.Started, worker.ExitedAsync()).WaitAsync(FunctionsHostRpc.Patience, cancellationToken);
        if (!rpc.Started.IsCompleted)
        {
            throw worker.Process.HasExited
                ? new InvalidOperationException("It ended before it connected.")
                : new TimeoutException("It did not connect.");
        }

        var init = (await rpc.AskAsync(new()
        {
            WorkerInitRequest = new()
            {
                HostVersion = "4.1037.0",
                WorkerDirectory = folder,
                FunctionAppDirectory = folder,
                Capabilities = { ["MultiStream"] = "10" },
            },
        })).WorkerInitResponse;
        Check(init.Result, "initialize");

        var metadata = (await rpc.AskAsync(
            new() { FunctionsMetadataRequest = new() { FunctionAppDirectory = folder } })).FunctionMetadataResponse;
        Check(metadata.Result, "index its functions");
        if (metadata.UseDefaultMetadataIndexing)
        {
            throw new InvalidOperationException("It leaves indexing its functions to the host.");
        }

        Functions = metadata.FunctionMetadataResults;
        foreach (var function in Functions)
        {
            var loaded = (await rpc.AskAsync(FunctionsHostMessages.Load(function))).FunctionLoadResponse;
            Check(loaded.Result, $"load {function.Name}");
        }

        var hostJson = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "host.json"), cancellationToken))!;
        var http = new Uri(init.Capabilities["HttpUri"]);
        front = new(
            (function, request) => InvokeAsync(function, request),
            Functions,
            app.Services.GetRequiredService<IHttpForwarder>(),
            http.AbsoluteUri,
            hostJson);

        // The host tries again if the worker does not listen yet.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(FunctionsHostRpc.Patience);
        while (!await IsListeningAsync(http, patience.Token))
        {
            await Task.Delay(1, patience.Token);
        }
    }

    private static void Check(StatusResult result, string what)
    {
        if (result.Status != StatusResult.Types.Status.Success)
        {
            throw new InvalidOperationException($"It could not {what}: {result.Exception}");
        }
    }

    private async Task<bool> IsListeningAsync(Uri uri, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(worker!.Process.HasExited, worker);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(uri.Host, uri.Port, cancellationToken);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }
}
