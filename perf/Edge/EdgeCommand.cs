using System.CommandLine;
using Smtp2GoIngest.Lab;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>Attacks the edge: takes some minutes, or less than one with <c>--quick</c>.</summary>
internal sealed class EdgeCommand : Command
{
    public EdgeCommand()
        : base("edge", "Attacks the app from outside: random requests and bodies, slow connections, wrong secrets.")
    {
        var quick = new Option<bool>("--quick") { Description = "The same with smaller numbers, in less than a minute." };
        Options.Add(quick);
        SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(quick), cancellationToken));
    }

    private static async Task<int> RunAsync(bool quick, CancellationToken cancellationToken)
    {
        await AzuriteInstallation.InstallAsync(cancellationToken);
        var data = Directory.CreateTempSubdirectory("smtp2go-ingest-edge-");
        try
        {
            string[] accounts = ["requests", "slow", "cost"];
            await using var azurite = await Azurite.StartAsync(data.FullName, accounts, cancellationToken);
            List<Finding> findings =
            [
                await WithAppAsync("requests", app => RandomRequests.RunAsync(app, quick ? 4_000 : 100_000, cancellationToken)),
                RandomBodies.Run(quick ? 50_000 : 1_000_000),
                SecretTiming.Run(20_000),
                await WithAppAsync(
                    "slow",
                    app => SlowConnections.RunAsync(app, quick ? 100 : 1_000, TimeSpan.FromSeconds(quick ? 8 : 30), cancellationToken)),
                await WithAppAsync("cost", app => RefusalCost.RunAsync(app, quick ? 200 : 2_000, cancellationToken)),
            ];
            Print(findings);
            return findings.TrueForAll(f => f.Holds != false) ? 0 : 1;

            async Task<Finding> WithAppAsync(string account, Func<EdgeApp, Task<Finding>> run)
            {
                await using var app = await EdgeApp.StartAsync(azurite.ConnectionStringOf(account), cancellationToken);
                return await run(app);
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static void Print(IEnumerable<Finding> findings)
    {
        var table = new Table().RoundedBorder().AddColumns("Experiment", "Figures", "Holds");
        foreach (var (experiment, figures, holds) in findings)
        {
            table.AddRow(
                Markup.Escape(experiment), Markup.Escape(figures), holds switch
                {
                    true => "[green]yes[/]",
                    false => "[red]no[/]",
                    null => "-",
                });
        }

        AnsiConsole.Write(table);
    }
}
