using System.CommandLine;
using Smtp2GoIngest.Perf.AppUnderTest;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>Compares the app with the plain way and with the floor: the same clients and payloads, in turn.</summary>
internal sealed class LoadCommand : Command
{
    private static readonly string Document = Path.Combine(Repository.Root, "docs", "performance.md");

    public LoadCommand()
        : base("load", "Compares the app with the usual sample, counts every webhook, and writes the figures to docs/performance.md.")
    {
        var quick = new Option<bool>("--quick") { Description = "Only counts the app's webhooks, in less than a minute; writes nothing." };
        Options.Add(quick);
        SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(quick), cancellationToken));
    }

    private static async Task<int> RunAsync(bool quick, CancellationToken cancellationToken)
    {
        var (rounds, seconds, backlog, deepBacklog, flood) = quick ? (1, 1, 500, 1_000, 2_000) : (5, 4, 4_000, 20_000, 100_000);
        int[] connections = quick ? [1, 64] : [1, 16, 64, 256];
        var duration = TimeSpan.FromSeconds(seconds);

        AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        await using var azurite = await SplitAzurite.StartAsync(cancellationToken);
        var comparison = new Comparison(
            new Storage(azurite.ConnectionString),
            quick ? [Side.App] : Enum.GetValues<Side>(),
            warmUp: TimeSpan.FromSeconds(quick ? 1 : 3),
            cancellationToken);
        var figures = new List<Figures>();
        Show(Report.Of("Receiving, nobody draining", await comparison.ReceiveAsync(connections, rounds, duration)));
        Show(Report.Of("Receiving while the queue is drained", await comparison.ReceiveAndStoreAsync(rounds, duration)));
        Show(Report.Of($"Draining {backlog:N0} webhooks", await comparison.DrainAsync(rounds, backlog)));

        // Azurite sorts the whole queue each time it is read. A deep one measures that, and takes the plain way ten minutes a round.
        Show(Report.Of($"Draining {deepBacklog:N0} webhooks, one round", await comparison.DrainAsync(1, deepBacklog)));
        Show(Report.Of(await comparison.FloodAsync(flood)));
        AnsiConsole.WriteLine(
            $"{comparison.Counted:N0} webhooks acknowledged, {comparison.Lost:N0} of them neither in the queue nor in the tables, "
            + $"{comparison.Twice:N0} stored twice; refused: "
            + $"{string.Join(", ", comparison.Refused.Select(side => $"{side.Key} {side.Value:N0}"))}.");
        if (!quick)
        {
            await Report.WriteAsync(Document, figures, cancellationToken);
        }

        return comparison is { Lost: 0, Twice: 0 } ? 0 : 1;

        void Show(Figures shown)
        {
            shown.Print();
            figures.Add(shown);
        }
    }
}
