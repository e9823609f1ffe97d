using System.Reflection;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>Where this program was built.</summary>
internal static class Repository
{
    public static string Root { get; } = Built("RepositoryRoot");

    /// <summary>The output folder of SelfHost, in the same configuration as this program.</summary>
    public static string SelfHostFolder { get; } = Built("SelfHostFolder");

    /// <summary>The folder of the package, which has the driver of browsers in it.</summary>
    public static string PlaywrightPackage { get; } = Built("PlaywrightPackage");

    private static string Built(string name) => Path.GetFullPath(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!);
}
