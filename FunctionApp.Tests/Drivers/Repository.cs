using System.Reflection;

namespace Smtp2GoIngest.Tests;

internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!);

    private static readonly HashSet<string> Ignored =
    [
        ".git", .. File.ReadLines(Path.Combine(Root, ".gitignore")).Select(line => line.TrimEnd('/')),
    ];

    public static bool IsIgnored(string path) => path.Split('/').Any(Ignored.Contains);

    /// <summary>The files in a folder and its subfolders, except those that are not committed.</summary>
    /// <param name="folder">Relative to the root, like the returned paths; empty for all.</param>
    public static IEnumerable<string> Files(string folder = "")
    {
        var directory = new DirectoryInfo(Path.Combine(Root, folder));
        return directory.EnumerateFileSystemInfos()
            .Where(entry => !Ignored.Contains(entry.Name))
            .SelectMany(entry => entry is DirectoryInfo
                ? Files(Path.Combine(folder, entry.Name))
                : [Path.Combine(folder, entry.Name).Replace('\\', '/')]);
    }
}
