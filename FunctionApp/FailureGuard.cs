using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>
/// Hides the text of exceptions from the host, which logs whatever a function throws: a storage exception may quote a row, an address
/// or a URL. What failed, and where, is kept.
/// </summary>
internal sealed class FailureGuard : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            // The worker answers an HTTP request even if its function threw, by default with 200.
            if (context.GetHttpContext() is { Response.HasStarted: false } http)
            {
                http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            }

            throw ExceptionDispatchInfo.SetRemoteStackTrace(
                new LoggableException(StorageFailure.Describe(e)), e.StackTrace ?? string.Empty);
        }
    }
}
