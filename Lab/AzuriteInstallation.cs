using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;

namespace Smtp2GoIngest.Lab;

/// <summary>Installs Azurite's package and runs it with Node.js. <c>azurite/package-lock.json</c> pins the version.</summary>
public static class AzuriteInstallation
{
    /// <summary>Its size in bytes. As small files, it takes 365 MB on disk.</summary>
    public const long Size = 202_000_000;

    private const string Unreachable =
        "The npm registry cannot be reached. Check the network (behind a proxy: npm config set proxy), and run this again.";

    // The mirror may be slow.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    // For a network that swallows everything: npm itself would try for minutes.
    private static readonly TimeSpan SilenceTimeout = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    // npm's codes for a registry that cannot be reached.
    private static readonly string[] NetworkErrors =
    [
        "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT",
        "EIDLETIMEOUT", "ECONNECTIONTIMEOUT",
    ];

    /// <summary>Whether there is nothing to install.</summary>
    public static bool IsInstalled => IsInstalledIn(Folder);

    private static string Folder { get; } = typeof(AzuriteInstallation).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "AzuriteFolder").Value!;

    /// <summary>Installs Azurite from npm, unless the lock file's version is installed. If cancelled, it starts over next time.</summary>
    /// <exception cref="InvalidOperationException">Node.js is missing or npm failed; the message says what to do.</exception>
    public static Task InstallAsync(CancellationToken cancellationToken) => InstallAsync(Folder, progress: null, cancellationToken);

    /// <inheritdoc cref="InstallAsync(CancellationToken)"/>
    /// <param name="progress">Gets the number of bytes installed so far, out of <see cref="Size"/>, every few seconds.</param>
    public static Task InstallAsync(IProgress<long> progress, CancellationToken cancellationToken) =>
        InstallAsync(Folder, progress, cancellationToken);

    internal static async Task InstallAsync(string folder, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        // The tests and the demo may run at the same time.
        await using var exclusive = await LockAsync(folder, cancellationToken);
        if (IsInstalledIn(folder))
        {
            return;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        string[] arguments =
        [
            "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retry-mintimeout=1000",
        ];
        using var install = Start(folder, npm, arguments);
        var output = install.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = install.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            install.StandardInput.Close();
            await WaitAsync(install, folder, progress, timeout.Token);
        }
        catch (Exception e)
        {
            // Whatever happened: npm must not go on without the lock.
            install.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            if (e is not (OperationCanceledException or TimeoutException))
            {
                throw;
            }

            throw new InvalidOperationException(
                e is TimeoutException ? e.Message : $"npm did not install Azurite in {Timeout.TotalMinutes} minutes. Run this again.",
                e);
        }

        if (install.ExitCode != 0)
        {
            throw new InvalidOperationException(Explain(await errors, await output));
        }

        await File.WriteAllTextAsync(Marker(folder), LockHash(folder), cancellationToken);
    }

    internal static async Task WaitAsync(Process install, string folder, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var ended = install.WaitForExitAsync(cancellationToken);
        var (size, changed) = (-1L, TimeProvider.System.GetTimestamp());
        while (await Task.WhenAny(ended, Task.Delay(ProgressInterval, CancellationToken.None)) != ended)
        {
            var before = size;
            size = SizeOf(Path.Combine(folder, "node_modules"), otherwise: before);
            if (size != before)
            {
                changed = TimeProvider.System.GetTimestamp();
                progress?.Report(size);
            }
            else if (TimeProvider.System.GetElapsedTime(changed) > SilenceTimeout)
            {
                throw new TimeoutException(Unreachable);
            }
        }

        await ended;
    }

    private static long SizeOf(string folder, long otherwise)
    {
        try
        {
            return new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // npm moves and deletes folders while it works.
            return otherwise;
        }
    }

    private static string Explain(string errors, string output) =>
        NetworkErrors.FirstOrDefault(code => errors.Contains(code, StringComparison.Ordinal)) is { } network
            ? $"{Unreachable} npm says {network}."
            : $"npm could not install Azurite:{Environment.NewLine}{errors}{output}";

    /// <summary>Starts a Node.js command in Azurite's folder, with its input and outputs redirected.</summary>
    internal static Process Start(string command, string[] arguments, params (string Name, string Value)[] environment) =>
        Start(Folder, command, arguments, environment);

    private static Process Start(
        string folder, string command, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = folder,
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

    private static async Task<FileStream> LockAsync(string folder, CancellationToken cancellationToken)
    {
        var (path, deadline) = (Path.Combine(folder, ".install.lock"), DateTimeOffset.UtcNow + Timeout);
        while (true)
        {
            if (FileLock.TryOpen(path) is { } exclusive)
            {
                return exclusive;
            }

            if (DateTimeOffset.UtcNow > deadline)
            {
                throw new InvalidOperationException(
                    $"Another process has been installing Azurite for {Timeout.TotalMinutes} minutes. End it, and run this again.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private static bool IsInstalledIn(string folder) =>
        File.Exists(Marker(folder)) && File.ReadAllText(Marker(folder)) == LockHash(folder);

    private static string Marker(string folder) => Path.Combine(folder, "node_modules", ".installed");

    private static string LockHash(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "package-lock.json"))));
}
