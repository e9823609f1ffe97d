using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Smtp2GoIngest.Lab;

/// <summary>Installs the packages that a folder's <c>package-lock.json</c> pins, and runs Node.js there.</summary>
internal static class NpmInstallation
{
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

    /// <summary>Whether the lock file's versions are installed.</summary>
    public static bool IsInstalled(string folder) =>
        File.Exists(Marker(folder)) && File.ReadAllText(Marker(folder)) == LockHash(folder);

    /// <summary>Installs from npm what the lock file names, unless it is installed. If cancelled, it starts over next time.</summary>
    /// <param name="what">For messages.</param>
    /// <param name="progress">Gets the number of bytes installed so far, every few seconds.</param>
    /// <exception cref="InvalidOperationException">Node.js is missing or npm failed; the message says what to do.</exception>
    public static async Task InstallAsync(
        string folder, string what, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        // The tests and the demo may run at the same time.
        await using var exclusive = await LockAsync(folder, what, cancellationToken);
        if (IsInstalled(folder))
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
                e is TimeoutException ? e.Message : $"npm did not install {what} in {Timeout.TotalMinutes} minutes. Run this again.",
                e);
        }

        if (install.ExitCode != 0)
        {
            throw new InvalidOperationException(Explain(what, await errors, await output));
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

    private static string Explain(string what, string errors, string output) =>
        NetworkErrors.FirstOrDefault(code => errors.Contains(code, StringComparison.Ordinal)) is { } network
            ? $"{Unreachable} npm says {network}."
            : $"npm could not install {what}:{Environment.NewLine}{errors}{output}";

    /// <summary>Starts a Node.js command in a folder, with its input and outputs redirected.</summary>
    public static Process Start(
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

    private static async Task<FileStream> LockAsync(string folder, string what, CancellationToken cancellationToken)
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
                    $"Another process has been installing {what} for {Timeout.TotalMinutes} minutes. End it, and run this again.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private static string Marker(string folder) => Path.Combine(folder, "node_modules", ".installed");

    private static string LockHash(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "package-lock.json"))));
}
