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
            () => AzuriteInstallation.InstallAsync(folder.FullName, progress: null, Test.Token));

        Assert.Equal(
            "The npm registry cannot be reached. Check the network (behind a proxy: npm config set proxy), and run this again. "
            + "npm says ECONNREFUSED.",
            failure.Message);
    }

    [Fact]
    public void Missing_Node_is_named_with_what_to_install()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => AzuriteInstallation.Start("smtp2go-ingest-no-such-node", []));

        Assert.Contains("Install Node.js 20 or newer", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
