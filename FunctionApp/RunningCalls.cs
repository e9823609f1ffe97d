using System.Collections.Concurrent;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Hosting;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>
/// Lets calls end before the process does. The worker itself waits for HTTP requests only; a message whose call is cut off stays hidden
/// for ten minutes.
/// </summary>
internal sealed class RunningCalls : IFunctionsWorkerMiddleware, IHostedService
{
    private readonly ConcurrentDictionary<string, Task> running = new(StringComparer.Ordinal);

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        var call = next(context);
        running[context.InvocationId] = call;
        try
        {
            await call;
        }
        finally
        {
            running.TryRemove(context.InvocationId, out _);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Waits for calls that come meanwhile as well: the host still sends some. The shutdown time-out bounds it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        while (!running.IsEmpty && !cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(running.Values).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Yield();
        }
    }
}
