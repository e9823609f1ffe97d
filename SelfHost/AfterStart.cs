using Microsoft.Extensions.Hosting;

namespace Smtp2GoIngest.SelfHost;

/// <summary>Makes and runs a service once the app listens: no request waits for what only the service needs.</summary>
internal sealed class AfterStart<T>(IHostApplicationLifetime app, Func<T> create) : BackgroundService
    where T : BackgroundService
{
    // Callers that knock already have the processor to themselves.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private T? service;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        var stopping = service?.StopAsync(cancellationToken) ?? Task.CompletedTask;
        await base.StopAsync(cancellationToken);
        await stopping;
    }

    public override void Dispose()
    {
        service?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (app.ApplicationStarted.Register(() => started.TrySetResult()))
        {
            await started.Task.WaitAsync(stoppingToken);
        }

        await Task.Delay(Pause, stoppingToken);
        service = create();
        await service.StartAsync(stoppingToken);
        await service.ExecuteTask!;
    }
}
