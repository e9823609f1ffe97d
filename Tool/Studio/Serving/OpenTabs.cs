using Microsoft.AspNetCore.Components.Server.Circuits;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>Counts the tabs that show Studio, by their connections.</summary>
internal sealed class OpenTabs(TimeProvider time) : CircuitHandler
{
    // A page that is being reloaded is gone for a moment.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource lastClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock counting = new();
    private int open;
    private int changes;

    /// <summary>Completes a few seconds after the last tab is closed.</summary>
    public Task LastClosed => lastClosed.Task;

    public override Task OnConnectionUpAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        lock (counting)
        {
            open++;
            changes++;
        }

        return Task.CompletedTask;
    }

    public override Task OnConnectionDownAsync(Circuit circuit, CancellationToken cancellationToken)
    {
        lock (counting)
        {
            changes++;
            if (--open == 0)
            {
                _ = EndUnlessOpenedAsync(changes);
            }
        }

        return Task.CompletedTask;
    }

    private async Task EndUnlessOpenedAsync(int seen)
    {
        await Task.Delay(Grace, time);
        lock (counting)
        {
            if (changes == seen)
            {
                lastClosed.TrySetResult();
            }
        }
    }
}
