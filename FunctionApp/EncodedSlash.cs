using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>Restores a slash in the path's secret: the host's proxy turns its <c>%2F</c> into <c>%252F</c>.</summary>
/// <remarks>
/// https://github.com/dotnet/yarp/issues/1419. The characters <c>%2F</c> in a secret come in the same form and read as a slash too; such a
/// secret may come any other way.
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
