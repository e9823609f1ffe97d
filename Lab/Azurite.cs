using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Lab;

/// <summary>Azurite, Microsoft's emulator of Azure Storage.</summary>
public sealed partial class Azurite : IAsyncDisposable
{
    // Every Azurite has this account and key; Microsoft publishes them.
    private const string Account = "devstoreaccount1";
    private const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    // Short: on Windows, the environment variable with all the accounts may have at most 32,767 characters.
    private const string OtherKey = "a2V5";

    // A start takes two seconds, or some ten on a busy machine.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly Dictionary<string, Uri> services;

    private Azurite(Process process, Dictionary<string, Uri> services) => (this.process, this.services) = (process, services);

    /// <summary>For the app and for Storage Explorer.</summary>
    public string ConnectionString => ConnectionStringOf(Account);

    /// <param name="account">One of those named at the start.</param>
    public string ConnectionStringOf(string account) => ConnectionStringOf(account, this, this, this);

    /// <summary>The usual account, with each service in its own Azurite.</summary>
    public static string ConnectionStringOf(Azurite blobs, Azurite queues, Azurite tables) =>
        ConnectionStringOf(Account, blobs, queues, tables);

    /// <summary>Where it listens.</summary>
    public AzuritePorts Ports => new(services["Blob"].Port, services["Queue"].Port, services["Table"].Port);

    /// <summary>Starts Azurite on free ports; returns when all three services listen.</summary>
    /// <inheritdoc cref="StartAsync(string?, IEnumerable{string}, AzuritePorts, CancellationToken)"/>
    public static Task<Azurite> StartAsync(string? dataFolder, IEnumerable<string> accounts, CancellationToken cancellationToken) =>
        StartAsync(dataFolder, accounts, AzuritePorts.AnyFree, cancellationToken);

    /// <summary>Starts Azurite; returns when all three services listen.</summary>
    /// <param name="dataFolder">
    /// Where it keeps its data; null for memory only. On disk, it rewrites all its rows every five seconds and answers nobody in
    /// that time: for seconds at a hundred thousand rows. It ends at some 500 MB.
    /// </param>
    /// <param name="accounts">Accounts to offer besides the usual one.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message says why.</exception>
    public static async Task<Azurite> StartAsync(
        string? dataFolder, IEnumerable<string> accounts, AzuritePorts ports, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        string[] arguments =
        [
            "start.js", "--blobPort", $"{ports.Blob}", "--queuePort", $"{ports.Queue}", "--tablePort", $"{ports.Table}",
            "--skipApiVersionCheck", "--disableTelemetry", "--silent",
            .. (string[])(dataFolder is null ? ["--inMemoryPersistence"] : ["--location", dataFolder]),
        ];
        var keys = string.Join(';', accounts.Prepend(Account).Select(account => $"{account}:{KeyOf(account)}"));
        var node = AzuriteInstallation.Start("node", arguments, ("AZURITE_ACCOUNTS", keys));
        try
        {
            var listening = await ReadServicesAsync(node, timeout.Token);

            // Keep reading to the end, or a full pipe would stop it.
            _ = node.StandardOutput.ReadToEndAsync(CancellationToken.None);
            _ = node.StandardError.ReadToEndAsync(CancellationToken.None);
            return new Azurite(node, listening);
        }
        catch (Exception e)
        {
            node.Kill(entireProcessTree: true);
            node.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new InvalidOperationException($"Azurite did not start within {StartTimeout.TotalSeconds} seconds.", e);
            }

            throw;
        }
    }

    /// <summary>Stops Azurite cleanly, so that everything is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(StopTimeout);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private static async Task<Dictionary<string, Uri>> ReadServicesAsync(Process node, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, Uri>();
        while (found.Count < 3)
        {
            var line = await node.StandardOutput.ReadLineAsync(cancellationToken)
                ?? throw new InvalidOperationException(
                    $"Azurite did not start: {await node.StandardError.ReadToEndAsync(cancellationToken)}");
            if (Listening().Match(line) is { Success: true } match)
            {
                found[match.Groups["service"].Value] = new Uri(match.Groups["uri"].Value);
            }
        }

        return found;
    }

    private static string ConnectionStringOf(string account, Azurite blobs, Azurite queues, Azurite tables) =>
        $"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KeyOf(account)};"
        + $"BlobEndpoint={blobs.services["Blob"]}{account};"
        + $"QueueEndpoint={queues.services["Queue"]}{account};"
        + $"TableEndpoint={tables.services["Table"]}{account};";

    private static string KeyOf(string account) => account == Account ? AccountKey : OtherKey;

    [GeneratedRegex(
        @"Azurite (?<service>\w+) service is successfully listening at (?<uri>http://\S+)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
