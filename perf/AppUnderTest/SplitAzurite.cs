using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>
/// Azurite for long and busy measurements. Each service has its own process, because a process does everything on one thread. Queues
/// and blobs are on disk, because in memory it deletes old messages one by one and answers nobody in that time. Tables are in memory,
/// because on disk it rewrites all rows every five seconds.
/// </summary>
internal sealed class SplitAzurite : IAsyncDisposable
{
    private readonly DirectoryInfo data;
    private readonly Azurite[] processes;

    private SplitAzurite(DirectoryInfo data, Azurite blobs, Azurite queues, Azurite tables)
    {
        (this.data, processes) = (data, [blobs, queues, tables]);
        ConnectionString = Azurite.ConnectionStringOf(blobs, queues, tables);
    }

    public string ConnectionString { get; }

    /// <summary>Installs Azurite if it is missing, and starts it.</summary>
    /// <exception cref="InvalidOperationException">It did not start; the message says why.</exception>
    public static async Task<SplitAzurite> StartAsync(CancellationToken cancellationToken)
    {
        await AzuriteInstallation.InstallAsync(cancellationToken);
        var folder = Directory.CreateTempSubdirectory("smtp2go-ingest-measured-");
        return new SplitAzurite(
            folder,
            await Azurite.StartAsync(folder.CreateSubdirectory("blobs").FullName, [], cancellationToken),
            await Azurite.StartAsync(folder.CreateSubdirectory("queues").FullName, [], cancellationToken),
            await Azurite.StartAsync(dataFolder: null, [], cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(processes.Select(process => process.DisposeAsync().AsTask()));
        data.Delete(recursive: true);
    }
}
