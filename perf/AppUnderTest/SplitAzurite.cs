using System.Text.RegularExpressions;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.AppUnderTest;

/// <summary>
/// Azurite for long and busy measurements: each service in a process of its own, because a process has one thread for all that it does; queues and
/// blobs on disk, because in memory it deletes old messages one by one and answers nobody meanwhile; tables in memory, because on disk it writes
/// all rows anew every five seconds.
/// </summary>
public sealed class SplitAzurite : IAsyncDisposable
{
    private readonly DirectoryInfo data;
    private readonly Azurite[] processes;

    private SplitAzurite(DirectoryInfo data, Azurite blobs, Azurite queues, Azurite tables)
    {
        (this.data, processes) = (data, [blobs, queues, tables]);
        ConnectionString = blobs.ConnectionString
            .Replace(Endpoint(blobs, "Queue"), Endpoint(queues, "Queue"), StringComparison.Ordinal)
            .Replace(Endpoint(blobs, "Table"), Endpoint(tables, "Table"), StringComparison.Ordinal);
    }

    /// <summary>Of the account, whose services are in three processes.</summary>
    public string ConnectionString { get; }

    /// <summary>Installs Azurite where it is missing, and starts it.</summary>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message says why.</exception>
    public static async Task<SplitAzurite> StartAsync(CancellationToken cancellationToken)
    {
        await Azurite.InstallAsync(cancellationToken);
        var folder = Directory.CreateTempSubdirectory("smtp2go-ingest-measured-");
        return new SplitAzurite(
            folder,
            await Azurite.StartAsync(folder.CreateSubdirectory("blobs").FullName, [], cancellationToken),
            await Azurite.StartAsync(folder.CreateSubdirectory("queues").FullName, [], cancellationToken),
            await Azurite.StartAsync(dataFolder: null, [], cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(processes.Select(process => process.DisposeAsync().AsTask()));
        data.Delete(recursive: true);
    }

    private static string Endpoint(Azurite azurite, string service) =>
        Regex.Match(azurite.ConnectionString, $"{service}Endpoint=[^;]+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;
}
