using System.Diagnostics;
using System.Reflection;

namespace Smtp2GoIngest.Lab;

/// <summary>Installs Azurite's package and runs it with Node.js. <c>azurite/package-lock.json</c> pins the version.</summary>
public static class AzuriteInstallation
{
    /// <summary>Its size in bytes. As small files, it takes 365 MB on disk.</summary>
    public const long Size = 202_000_000;

    private const string What = "Azurite";

    /// <summary>Whether there is nothing to install.</summary>
    public static bool IsInstalled => NpmInstallation.IsInstalled(Folder);

    private static string Folder { get; } = typeof(AzuriteInstallation).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "AzuriteFolder").Value!;

    /// <summary>Installs Azurite from npm, unless the lock file's version is installed. If cancelled, it starts over next time.</summary>
    /// <exception cref="InvalidOperationException">Node.js is missing or npm failed; the message says what to do.</exception>
    public static Task InstallAsync(CancellationToken cancellationToken) =>
        NpmInstallation.InstallAsync(Folder, What, progress: null, cancellationToken);

    /// <inheritdoc cref="InstallAsync(CancellationToken)"/>
    /// <param name="progress">Gets the number of bytes installed so far, out of <see cref="Size"/>, every few seconds.</param>
    public static Task InstallAsync(IProgress<long> progress, CancellationToken cancellationToken) =>
        NpmInstallation.InstallAsync(Folder, What, progress, cancellationToken);

    /// <summary>Starts a Node.js command in Azurite's folder, with its input and outputs redirected.</summary>
    internal static Process Start(string command, string[] arguments, params (string Name, string Value)[] environment) =>
        NpmInstallation.Start(Folder, command, arguments, environment);
}
