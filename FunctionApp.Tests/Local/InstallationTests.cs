using System.Diagnostics;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Tests.Local;

public sealed class InstallationTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("smtp2go-ingest-npm-");

    [Fact]
    public async Task A_registry_that_cannot_be_reached_is_named_in_one_line()
    {
        foreach (var file in (string[])["package.json", "package-lock.json"])
        {
            File.Copy(Path.Combine(Repository.Root, "Lab", "azurite", file), Path.Combine(folder.FullName, file));
        }

        // Nobody listens on port 1, and npm's own cache on this machine is not used.
        await File.WriteAllTextAsync(
            Path.Combine(folder.FullName, ".npmrc"), "registry=http://127.0.0.1:1/\ncache=./cache\nfetch-retries=0\n", Test.Token);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => NpmInstallation.InstallAsync(folder.FullName, "Azurite", progress: null, Test.Token));

        Assert.Equal(
            "The npm registry cannot be reached. Check the network (behind a proxy: npm config set proxy), and run this again. "
            + "npm says ECONNREFUSED.",
            failure.Message);
    }

    [Fact]
    public void Missing_Node_is_named_with_what_to_install()
    {
        var failure = Assert.Throws<InvalidOperationException>(() =>
            NpmInstallation.Start(folder.FullName, "smtp2go-ingest-no-such-node", []));

        Assert.Contains("Install Node.js 20 or newer", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task What_is_installed_so_far_is_told_in_bytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It needs a shell.");
        var told = new List<long>();
        using var install = Process.Start(new ProcessStartInfo(
            "sh", ["-c", "mkdir -p node_modules/a/b; printf 12345 > node_modules/a/b/c; printf 678 > node_modules/d; sleep 3"])
        {
            WorkingDirectory = folder.FullName,
        })!;

        await NpmInstallation.WaitAsync(install, folder.FullName, new Told(told), Test.Token);

        Assert.Equal([8], told);
    }

    private sealed class Told(List<long> values) : IProgress<long>
    {
        public void Report(long value) => values.Add(value);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
