using System.Reflection;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Local;

/// <summary>Where a demo keeps its data and where it listens, unless somebody else is there already.</summary>
internal sealed record DemoPlace(string DataFolder, AzuritePorts Storage, int AppPort, int Smtp2GoPort)
{
    /// <summary>Ignored by git. The ports are those that func, the tool and Storage Explorer look at by default.</summary>
    public static DemoPlace Usual { get; } = new(
        Path.Combine(RepositoryRoot, "artifacts", "demo"), AzuritePorts.Usual, AppPort: 7071, Smtp2GoPort: 7072);

    private static string RepositoryRoot => Path.GetFullPath(typeof(DemoPlace).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!);
}
