using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>Passes the request on and the whole answer back.</summary>
internal class WholeAnswer : HttpTransformer
{
    // Kept to the letter: the signature covers the path as the client escaped it.
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

/// <summary>Passes the request on and nothing back.</summary>
internal sealed class NoAnswer : WholeAnswer
{
    public static new NoAnswer Instance { get; } = new();

    public override ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext,
        HttpResponseMessage? proxyResponse,
        CancellationToken cancellationToken) => ValueTask.FromResult(false);
}

/// <summary>Passes the request on, and the head and half of the body back.</summary>
internal sealed class HalfAnAnswer : WholeAnswer
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
