using System.CommandLine;
using Smtp2GoIngest.Perf.AppUnderTest;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>Compares the app with the plain way and with the floor: the same clients and payloads, in turn.</summary>
internal sealed class LoadCommand : Command
{
    private const int Rounds = 5;
    private const int WarmUpBacklog = 4_000;

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
        var rounds = new Option<int>("--rounds") { Description = "How often each is measured.", DefaultValueFactory = _ => Rounds };
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

    private static async Task<int> RunAsync(bool quick, Part[] only, int rounds, CancellationToken cancellationToken)
    {
        var published = Directory.CreateTempSubdirectory("smtp2go-ingest-load-");
        try
        {
            await using var azurite = await SplitAzurite.StartAsync(cancellationToken);
            var comparison = new Comparison(
                new Storage(azurite.ConnectionString),
                quick ? [Side.App] : Enum.GetValues<Side>(),

                // Compiling while it is measured would be most of what is measured.
                quick ? null : await Repository.PublishAsync("perf", published, cancellationToken),
                warmUp: TimeSpan.FromSeconds(quick ? 1 : 3),
                cancellationToken);
            AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
            var figures = new List<Figures>();
            await foreach (var table in quick ? CountAsync(comparison) : MeasureAsync(comparison, only, rounds))
            {
                table.Print();
                figures.Add(table);
            }

            AnsiConsole.WriteLine(
                $"{comparison.Counted:N0} webhooks acknowledged, {comparison.Lost:N0} of them neither in the queue nor in the tables, "
                + $"{comparison.Twice:N0} stored twice; refused: "
                + $"{string.Join(", ", comparison.Refused.Select(side => $"{side.Key} {side.Value:N0}"))}.");
            if (!quick && only is [] && rounds == Rounds)
            {
                await Report.WriteAsync(Document, figures, cancellationToken);
            }

            return comparison is { Lost: 0, Twice: 0, Counted: > 0 } ? 0 : 1;
        }
        finally
        {
            published.Delete(recursive: true);
        }
    }

    private static async IAsyncEnumerable<Figures> CountAsync(Comparison comparison)
    {
        var second = TimeSpan.FromSeconds(1);
        yield return Report.Of("Receiving, nobody draining", await comparison.ReceiveAsync([1, 64], rounds: 1, second));
        yield return Report.Of("Receiving while the queue is drained", await comparison.ReceiveAndStoreAsync(rounds: 1, second));
        yield return Report.Of("Draining 500 webhooks", await comparison.DrainAsync(rounds: 1, 500, warmUpBacklog: 100));
        yield return Report.Of("Receiving and storing", [("64 connections", await comparison.FloodAsync(2_000, connections: 64))]);
    }

    private static async IAsyncEnumerable<Figures> MeasureAsync(Comparison comparison, Part[] only, int rounds)
    {
        var duration = TimeSpan.FromSeconds(4);
        if (Measures(Part.Receive))
        {
            int[] connections = [1, 16, 64, 256];
            yield return Report.Of("Receiving, nobody draining", await comparison.ReceiveAsync(connections, rounds, duration));
        }

        if (Measures(Part.Both))
        {
            yield return Report.Of("Receiving while the queue is drained", await comparison.ReceiveAndStoreAsync(rounds, duration));
        }

        if (Measures(Part.Drain))
        {
            yield return Report.Of("Draining 4,000 webhooks", await comparison.DrainAsync(rounds, 4_000, WarmUpBacklog));
            yield return Report.Of("Draining 500 webhooks", await comparison.DrainAsync(rounds, 500, WarmUpBacklog));
        }

        if (Measures(Part.Deep))
        {
            // Azurite sorts the whole queue each time it is read. A deep one measures that, and takes the plain way ten minutes a round.
            yield return Report.Of("Draining 20,000 webhooks, one round", await comparison.DrainAsync(1, 20_000, WarmUpBacklog));
        }

        if (Measures(Part.Flood))
        {
            yield return Report.Of(
                "Cost and memory of the app, receiving and storing",
                [
                    ("one after the other", await comparison.FloodAsync(200, connections: 1)),
                    ("64 connections", await comparison.FloodAsync(100_000, connections: 64)),
                ]);
        }

        bool Measures(Part part) => only is [] || only.Contains(part);
    }
}
