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
        var (rounds, seconds, backlog, flood, alone) = quick ? (1, 1, 500, 2_000, 5) : (count, 4, 4_000, 100_000, 200);
        const int DeepBacklog = 20_000;
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
            int[] backlogs = quick ? [backlog] : [backlog, backlog / 8];
            foreach (var size in backlogs)
            {
                Show(Report.Of($"Draining {size:N0} webhooks", await comparison.DrainAsync(rounds, size)));
            }
        }

        if (Measures(Part.Deep) && !quick)
        {
            // Azurite sorts the whole queue each time it is read. A deep one measures that, and takes the plain way ten minutes a round.
            Show(Report.Of($"Draining {DeepBacklog:N0} webhooks, one round", await comparison.DrainAsync(1, DeepBacklog)));
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
