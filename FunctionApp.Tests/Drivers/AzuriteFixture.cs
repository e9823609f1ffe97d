using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Tests;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

namespace Smtp2GoIngest.Tests;

/// <summary>
/// One real Azurite for the run, with its data in memory: on disk it would rewrite the rows of all tests every five seconds, and answer
/// nobody in that time. Every test uses its own storage account in it.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private static readonly string[] Accounts = [.. Enumerable.Range(1, 2000).Select(i => $"t{i:0000}")];

    private Azurite? azurite;
    private int taken;

    public async ValueTask InitializeAsync()
    {
        await AzuriteInstallation.InstallAsync(Test.Token);
        azurite = await Azurite.StartAsync(dataFolder: null, Accounts, Test.Token);
    }

    public string NewAccount() => azurite!.ConnectionStringOf(Accounts[Interlocked.Increment(ref taken) - 1]);

    public async ValueTask DisposeAsync()
    {
        if (azurite is not null)
        {
            await azurite.DisposeAsync();
        }
    }
}
