using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Smtp2GoIngest.Lab.WorkerHost.Rpc;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Lab.WorkerHost;

/// <summary>The host's HTTP port: passes a request on to the worker's HTTP port while it calls the function that has the route.</summary>
internal sealed class FunctionsHostFront : IDisposable
{
    private const string InvocationId = "x-ms-invocation-id";

    private readonly HttpMessageInvoker client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly List<(TemplateMatcher Route, RpcFunctionMetadata Function)> routes = [];
    private readonly IHttpForwarder forwarder;
    private readonly Func<string, InvocationRequest, Task<InvocationResponse>> invoke;
    private readonly string worker;

    public FunctionsHostFront(
        Func<string, InvocationRequest, Task<InvocationResponse>> invoke,
        IEnumerable<RpcFunctionMetadata> functions,
        IHttpForwarder forwarder,
        string worker,
        JsonNode hostJson)
    {
        (this.invoke, this.forwarder, this.worker) = (invoke, forwarder, worker);
        var prefix = (string?)hostJson["extensions"]?["http"]?["routePrefix"] ?? "api";
        foreach (var function in functions)
        {
            var bindings = function.RawBindings.Select(raw => JsonNode.Parse(raw)!);
            foreach (var trigger in bindings.Where(binding => (string?)binding["type"] == "httpTrigger"))
            {
                routes.Add((new(TemplateParser.Parse($"{prefix}/{trigger["route"]}".TrimStart('/')), []), function));
            }
        }
    }

    public async Task AnswerAsync(HttpContext context)
    {
        var values = new RouteValueDictionary();
        if (routes.Find(route => route.Route.TryMatch(context.Request.Path, values)) is not { Function: { } function })
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var invocation = FunctionsHostMessages.Request(context.Request, await ReadAsync(context.Request), values);
        invocation.InvocationId = $"{Guid.NewGuid()}";
        context.Request.Headers[InvocationId] = invocation.InvocationId;
        var forwarding = forwarder.SendAsync(context, worker, client, ForwarderRequestConfig.Empty);
        var response = await invoke(function.Name, invocation);
        await forwarding;
        if (response.Result.Status != StatusResult.Types.Status.Success && !context.Response.HasStarted)
        {
            context.Response.Clear();
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    public void Dispose() => client.Dispose();

    // Reads the whole body before the worker hears of the request. Only a body of unknown length passes unread.
    private static async Task<string> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength is null or 0)
        {
            return string.Empty;
        }

        request.EnableBuffering();
        using var reader = new StreamReader(request.Body, leaveOpen: true);
        var body = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        request.Body.Position = 0;
        return body;
    }
}
