using System.Collections.Concurrent;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Hosting;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>
/// Lets running calls end before the process does. The worker itself waits only for HTTP requests, and a message whose call is cut off
/// stays hidden for ten minutes.
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

    /// <summary>
    /// Also waits for calls that arrive in the meantime: the host still sends some. The shutdown time-out bounds the wait.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        while (!running.IsEmpty && !cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(running.Values).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Yield();
        }
    }
}
