using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>Restores a slash in a secret in the path: the host's proxy turns its <c>%2F</c> into <c>%252F</c>.</summary>
/// <remarks>
/// https://github.com/dotnet/yarp/issues/1419. A secret with the literal text <c>%2F</c> looks the same and is read as a slash too; such a
/// secret must be sent in another way.
/// </remarks>
internal sealed class EncodedSlash : IFunctionsWorkerMiddleware
{
    public Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext()?.Features.Get<IHttpRequestFeature>() is { } request)
        {
            request.RawTarget = request.RawTarget.Replace("%252F", "%2F", StringComparison.OrdinalIgnoreCase);
        }

        return next(context);
    }
}
