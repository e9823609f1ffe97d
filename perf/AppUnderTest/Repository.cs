using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>Where this program was built.</summary>
internal static class Repository
{
    public static string Root { get; } = Built("RepositoryRoot");

    /// <summary>The output folder of SelfHost, in the same configuration as this program.</summary>
    public static string SelfHostFolder { get; } = Built("SelfHostFolder");

    /// <summary>The folder of the package, which has the driver of browsers in it.</summary>
    public static string PlaywrightPackage { get; } = Built("PlaywrightPackage");

    /// <summary>Publishes a project as it is deployed, for this system. Returns the path of its assembly.</summary>
    /// <exception cref="InvalidOperationException">It did not work; the output says why.</exception>
    public static async Task<string> PublishAsync(string project, DirectoryInfo folder, CancellationToken cancellationToken)
    {
        var output = Path.Combine(folder.FullName, Path.GetFileName(project));
        string[] arguments =
        [
            "publish", Path.Combine(Root, project), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier,
            "-o", output, "-v", "quiet",
        ];
        using var publish = Process.Start("dotnet", arguments);
        await publish.WaitForExitAsync(cancellationToken);
        return publish.ExitCode == 0
            ? Path.Combine(output, $"{Path.GetFileName(project)}.dll")
            : throw new InvalidOperationException($"Could not publish {project}.");
    }

    private static string Built(string name) => Path.GetFullPath(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!);
}
