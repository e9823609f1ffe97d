using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Lab;

/// <summary>Azurite, Microsoft's emulator of Azure Storage, on free ports. Its version is pinned by <c>azurite/package-lock.json</c>.</summary>
public sealed partial class Azurite : IAsyncDisposable
{
    // The account and key that every Azurite has; Microsoft publishes them.
    private const string Account = "devstoreaccount1";
    private const string AccountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    // An environment variable that holds many accounts has 32,767 characters on Windows.
    private const string OtherKey = "a2V5";

    // Some 400 MB from a slow mirror; a start takes two seconds, on a busy machine some ten.
    private static readonly TimeSpan InstallTimeout = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private readonly Process process;
    private readonly Dictionary<string, Uri> services;

    private Azurite(Process process, Dictionary<string, Uri> services) => (this.process, this.services) = (process, services);

    /// <summary>For the app and for Storage Explorer.</summary>
    public string ConnectionString => ConnectionStringOf(Account);

    private static string Folder { get; } = typeof(Azurite).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "AzuriteFolder").Value!;

    private static string Marker => Path.Combine(Folder, "node_modules", ".installed");

    /// <summary>Tells whether <see cref="InstallAsync"/> has nothing to do.</summary>
    public static bool IsInstalled => File.Exists(Marker) && File.ReadAllText(Marker) == LockHash();

    /// <summary>Installs Azurite from npm, unless it is installed as the lock file says.</summary>
    /// <param name="cancellationToken">Ends the installation; the next one begins anew.</param>
    /// <exception cref="InvalidOperationException">Node.js is missing or npm failed; the message says what to do.</exception>
    public static async Task InstallAsync(CancellationToken cancellationToken)
    {
        // The tests and the demo may come at the same time.
        await using var exclusive = await LockAsync(cancellationToken);
        if (IsInstalled)
        {
            return;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(InstallTimeout);
        var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        string[] arguments = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"];
        using var install = Start(npm, arguments);
        var output = install.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = install.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            install.StandardInput.Close();
            await install.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException e)
        {
            install.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new InvalidOperationException(
                $"npm did not install Azurite within {InstallTimeout.TotalMinutes} minutes. Is the npm registry within reach?", e);
        }

        if (install.ExitCode != 0)
        {
            throw new InvalidOperationException($"npm could not install Azurite:{Environment.NewLine}{await errors}{await output}");
        }

        await File.WriteAllTextAsync(Marker, LockHash(), cancellationToken);
    }

    /// <summary>The connection string of an account.</summary>
    /// <param name="account">One that <see cref="StartAsync"/> was told of.</param>
    public string ConnectionStringOf(string account) =>
        $"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KeyOf(account)};"
        + $"BlobEndpoint={services["Blob"]}{account};QueueEndpoint={services["Queue"]}{account};TableEndpoint={services["Table"]}{account};";

    /// <summary>Starts Azurite; returns when all three services listen.</summary>
    /// <param name="dataFolder">
    /// Where it keeps its data; null for memory alone. On disk it writes all its rows anew every five seconds and answers nobody meanwhile: for
    /// seconds at a hundred thousand of them, and it ends at some 500 MB.
    /// </param>
    /// <param name="accounts">Accounts to offer beside the usual one, each with its key.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message says why.</exception>
    public static async Task<Azurite> StartAsync(string? dataFolder, IEnumerable<string> accounts, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        string[] arguments =
        [
            "start.js",
            .. (string[])(dataFolder is null ? ["--inMemoryPersistence"] : ["--location", dataFolder]),
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--silent",
            "--blobPort",
            "0",
            "--queuePort",
            "0",
            "--tablePort",
            "0",
        ];
        var node = Start(
            "node",
            arguments,
            ("AZURITE_ACCOUNTS", string.Join(';', accounts.Prepend(Account).Select(account => $"{account}:{KeyOf(account)}"))));
        try
        {
            var found = new Dictionary<string, Uri>();
            while (found.Count < 3)
            {
                var line =
                    await node.StandardOutput.ReadLineAsync(timeout.Token)
                    ?? throw new InvalidOperationException(
                        $"Azurite did not start: {await node.StandardError.ReadToEndAsync(timeout.Token)}");
                if (Listening().Match(line) is { Success: true } match)
                {
                    found[match.Groups["service"].Value] = new Uri(match.Groups["uri"].Value);
                }
            }

            // Read on to the end, or a full pipe would stop it.
            _ = node.StandardOutput.ReadToEndAsync(CancellationToken.None);
            _ = node.StandardError.ReadToEndAsync(CancellationToken.None);
            return new Azurite(node, found);
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

    /// <summary>Stops Azurite politely, so that everything is on disk.</summary>
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

    private static Process Start(string command, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                $"'{command}' was not found. Install Node.js 20 or newer, with npm (nodejs.org), and run this again.", e);
        }
    }

    private static string KeyOf(string account) => account == Account ? AccountKey : OtherKey;

    private static async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        for (var deadline = DateTimeOffset.UtcNow + InstallTimeout; ;)
        {
            try
            {
                return new FileStream(Path.Combine(Folder, ".install.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not DirectoryNotFoundException)
            {
                if (DateTimeOffset.UtcNow > deadline)
                {
                    throw new InvalidOperationException(
                        $"Another process has been installing Azurite for {InstallTimeout.TotalMinutes} minutes. End it, and run this again.",
                        e);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }

    private static string LockHash() =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, "package-lock.json"))));

    [GeneratedRegex(
        @"Azurite (?<service>\w+) service is successfully listening at (?<uri>http://\S+)",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Listening();
}
