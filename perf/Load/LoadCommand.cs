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
        var only = new Option<Part[]>("--only")
        {
            Description = "Measures only these parts; writes nothing.",
            AllowMultipleArgumentsPerToken = true,
        };
        var rounds = new Option<int>("--rounds") { Description = "How often each is measured.", DefaultValueFactory = _ => 5 };
        Options.Add(quick);
        Options.Add(only);
        Options.Add(rounds);
        SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetValue(quick), parsed.GetValue(only) ?? [], parsed.GetValue(rounds), cancellationToken));
    }

    private enum Part
    {
        Receive,
        Both,
        Drain,
        Deep,
        Flood,
    }

    private static async Task<int> RunAsync(bool quick, Part[] only, int count, CancellationToken cancellationToken)
    {
        var (rounds, seconds, backlog, deepBacklog, flood, alone) =
            quick ? (1, 1, 500, 1_000, 2_000, 20) : (count, 4, 4_000, 20_000, 100_000, 200);
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
        if (Measures(Part.Receive))
        {
            Show(Report.Of("Receiving, nobody draining", await comparison.ReceiveAsync(connections, rounds, duration)));
        }

        if (Measures(Part.Both))
        {
            Show(Report.Of("Receiving while the queue is drained", await comparison.ReceiveAndStoreAsync(rounds, duration)));
        }

        if (Measures(Part.Drain))
        {
            Show(Report.Of($"Draining {backlog:N0} webhooks", await comparison.DrainAsync(rounds, backlog)));
            Show(Report.Of($"Draining {backlog / 8:N0} webhooks", await comparison.DrainAsync(rounds, backlog / 8)));
        }

        if (Measures(Part.Deep))
        {
            // Azurite sorts the whole queue each time it is read. A deep one measures that, and takes the plain way ten minutes a round.
            Show(Report.Of($"Draining {deepBacklog:N0} webhooks, one round", await comparison.DrainAsync(1, deepBacklog)));
        }

        if (Measures(Part.Flood))
        {
            Show(Report.Of(
                "Cost and memory of the app, receiving and storing",
                [
                    ("one after the other", await comparison.FloodAsync(alone, connections: 1)),
                    ("64 connections", await comparison.FloodAsync(flood, connections: 64)),
                ]));
        }

        AnsiConsole.WriteLine(
            $"{comparison.Counted:N0} webhooks acknowledged, {comparison.Lost:N0} of them neither in the queue nor in the tables, "
            + $"{comparison.Twice:N0} stored twice; refused: "
            + $"{string.Join(", ", comparison.Refused.Select(side => $"{side.Key} {side.Value:N0}"))}.");
        if (!quick && only is [])
        {
            await Report.WriteAsync(Document, figures, cancellationToken);
        }

        return comparison is { Lost: 0, Twice: 0 } ? 0 : 1;

        bool Measures(Part part) => only is [] || only.Contains(part);

        void Show(Figures shown)
        {
            shown.Print();
            figures.Add(shown);
        }
    }
}
