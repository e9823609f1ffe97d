using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;

namespace Smtp2GoIngest.Lab;

/// <summary>Azurite's package and Node.js, which runs it. The version is pinned by <c>azurite/package-lock.json</c>.</summary>
public static class AzuriteInstallation
{
    // Some 400 MB, perhaps from a slow mirror.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Whether <see cref="InstallAsync"/> has nothing to do.</summary>
    public static bool IsInstalled => File.Exists(Marker) && File.ReadAllText(Marker) == LockHash();

    private static string Folder { get; } = typeof(AzuriteInstallation).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "AzuriteFolder").Value!;

    private static string Marker => Path.Combine(Folder, "node_modules", ".installed");

    /// <summary>Installs Azurite from npm, unless the version of the lock file is installed. Cancelled, it starts over next time.</summary>
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
        timeout.CancelAfter(Timeout);
        var npm = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        using var install = Start(npm, ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
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
                $"npm did not install Azurite within {Timeout.TotalMinutes} minutes. Can the npm registry be reached?", e);
        }

        if (install.ExitCode != 0)
        {
            throw new InvalidOperationException($"npm could not install Azurite:{Environment.NewLine}{await errors}{await output}");
        }

        await File.WriteAllTextAsync(Marker, LockHash(), cancellationToken);
    }

    /// <summary>Starts a command of Node.js in Azurite's folder, its input and outputs redirected.</summary>
    internal static Process Start(string command, string[] arguments, params (string Name, string Value)[] environment)
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

    private static async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        for (var deadline = DateTimeOffset.UtcNow + Timeout; ;)
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
                        $"Another process has been installing Azurite for {Timeout.TotalMinutes} minutes. End it, and run this again.", e);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }

    private static string LockHash() =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, "package-lock.json"))));
}
