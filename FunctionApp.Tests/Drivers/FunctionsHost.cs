using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Tests.Rpc;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Tests;

/// <summary>Acts as the built worker's Functions host: starts its process, lets it index and load its functions, and calls them.</summary>
/// <remarks>
/// Follows the public source of both. Host: https://github.com/Azure/azure-functions-host, <c>src/WebJobs.Script.Grpc</c>, above all
/// <c>GrpcWorkerChannel.cs</c>, <c>DefaultHttpProxyService.cs</c> and <c>ScriptInvocationContextExtensions.cs</c>. Worker:
/// https://github.com/Azure/azure-functions-dotnet-worker, <c>src/DotNetWorker.Grpc/GrpcWorker.cs</c> and
/// <c>extensions/Worker.Extensions.Http.AspNetCore</c>.
/// </remarks>
internal sealed class FunctionsHost : IAsyncDisposable
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

    public static async Task<FunctionsHost> StartAsync(string account, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var all = new Dictionary<string, string?>
        {
            ["EventStorage"] = account,
            ["Webhook:Username"] = IngestApp.Username,
            ["Webhook:Password"] = IngestApp.Password,
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>())
        {
            all[name] = value;
        }

        for (var attempt = 1; ; attempt++)
        {
            var host = new FunctionsHost();
            try
            {
                await host.StartAsync(all);
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

    private async Task StartAsync(IReadOnlyDictionary<string, string?> settings)
    {
        await app.StartAsync(Test.Token);
        Client.BaseAddress = new Uri($"http://{ports[1].IPEndPoint}");
        worker = FunctionsHostWorker.Start(new Uri($"http://{ports[0].IPEndPoint}"), settings);
        await await Task.WhenAny(rpc.Started, worker.ExitedAsync()).WaitAsync(Test.Patience, Test.Token);
        var init = (await rpc.AskAsync(new()
        {
            WorkerInitRequest = new()
            {
                HostVersion = "4.1037.0",
                WorkerDirectory = FunctionsHostWorker.Folder,
                FunctionAppDirectory = FunctionsHostWorker.Folder,
                Capabilities = { ["MultiStream"] = "10" },
            },
        })).WorkerInitResponse;
        Assert.Equal(StatusResult.Types.Status.Success, init.Result.Status);

        var metadata = (await rpc.AskAsync(
            new() { FunctionsMetadataRequest = new() { FunctionAppDirectory = FunctionsHostWorker.Folder } })).FunctionMetadataResponse;
        Assert.Equal(StatusResult.Types.Status.Success, metadata.Result.Status);
        Assert.False(metadata.UseDefaultMetadataIndexing);
        Functions = metadata.FunctionMetadataResults;
        foreach (var function in Functions)
        {
            var loaded = (await rpc.AskAsync(FunctionsHostMessages.Load(function))).FunctionLoadResponse;
            Assert.True(loaded.Result.Status == StatusResult.Types.Status.Success, $"{function.Name}: {loaded.Result.Exception}");
        }

        var hostJson = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(FunctionsHostWorker.Folder, "host.json"), Test.Token))!;
        var http = new Uri(init.Capabilities["HttpUri"]);
        front = new(this, app.Services.GetRequiredService<IHttpForwarder>(), http.AbsoluteUri, hostJson);

        // The host tries again if the worker does not listen yet.
        await Eventually.Get(() => IsListeningAsync(http), listening => listening);
    }

    private async Task<bool> IsListeningAsync(Uri uri)
    {
        Assert.False(worker!.HasExited, "The worker has ended.");
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(uri.Host, uri.Port, Test.Token);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }
}
