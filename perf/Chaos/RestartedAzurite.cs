using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Azurite, stopped and restarted on the same data.</summary>
internal sealed class RestartedAzurite(DirectoryInfo data) : IAsyncDisposable
{
    private Azurite? running;

    public string ConnectionString => running?.ConnectionString ?? throw new InvalidOperationException("Azurite is stopped.");

    public async Task StartAsync(CancellationToken cancellationToken) =>
        running = await Azurite.StartAsync(data.FullName, [], cancellationToken);

    /// <summary>Stops it cleanly: if killed, Azurite would lose up to five seconds of what it acknowledged.</summary>
    public async ValueTask StopAsync()
    {
        if (Interlocked.Exchange(ref running, null) is { } azurite)
        {
            await azurite.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => StopAsync();
}
