using Smtp2GoIngest.Edge;
using Smtp2GoIngest.Lab;
using Spectre.Console;

// The edge under attack: the full numbers take some minutes, --quick (as CI runs it) less than one.
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};
var quick = args.Contains("--quick");
var cancellationToken = interrupted.Token;

await Azurite.InstallAsync(cancellationToken);
var data = Directory.CreateTempSubdirectory("smtp2go-ingest-edge-");
try
{
    string[] accounts = ["requests", "slow", "cost"];
    await using var azurite = await Azurite.StartAsync(data.FullName, accounts, cancellationToken);
    var findings = new List<Finding>
    {
        await WithAppAsync("requests", app => RandomRequests.RunAsync(app, quick ? 4_000 : 100_000, cancellationToken)),
        RandomBodies.Run(quick ? 50_000 : 1_000_000),
        SecretTiming.Run(20_000),
        await WithAppAsync(
            "slow",
            app => SlowConnections.RunAsync(app, quick ? 100 : 1_000, TimeSpan.FromSeconds(quick ? 8 : 30), cancellationToken)),
        await WithAppAsync("cost", app => RefusalCost.RunAsync(app, quick ? 200 : 2_000, cancellationToken)),
    };

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
