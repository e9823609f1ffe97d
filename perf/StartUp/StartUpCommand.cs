using System.CommandLine;
using System.Globalization;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.StartUp;

/// <summary>
/// Measures worker and self-host from the start of the process to the first 200, and their memory at rest, in turn with an empty program
/// of either kind. All are published as the app is deployed.
/// </summary>
internal sealed class StartUpCommand : Command
{
    private const int Starts = 15;
    private const int WarmUps = 2;
    private const int Rests = 5;

    private const double MostOfEmpty = 1.6;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private static readonly string[] Columns = ["start ms", "CPU ms", "working set MB", "private MB"];

    public StartUpCommand()
        : base("startup", "Measures the start of worker and self-host, and their memory at rest, beside an empty worker and Kestrel.") =>
        SetAction((_, cancellationToken) => RunAsync(cancellationToken));

    private delegate Task<StartedProgram> Start(string assembly, string connectionString, CancellationToken cancellationToken);

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("smtp2go-ingest-startup-");
        try
        {
            await AzuriteInstallation.InstallAsync(cancellationToken);
            await using var azurite = await Azurite.StartAsync(data.FullName, [], cancellationToken);
            Published[] programs =
            [
                await PublishAsync("FunctionApp", StartedProgram.WorkerAsync, data, cancellationToken),
                await PublishAsync("perf/EmptyWorker", StartedProgram.WorkerAsync, data, cancellationToken),
                await PublishAsync("SelfHost", StartedProgram.ServerAsync, data, cancellationToken),
                await PublishAsync("perf/EmptyKestrel", StartedProgram.ServerAsync, data, cancellationToken),
            ];
            for (var start = -WarmUps; start < Starts; start++)
            {
                foreach (var program in programs)
                {
                    await using var started = await program.Start(program.Assembly, azurite.ConnectionString, cancellationToken);
                    if (start >= 0)
                    {
                        program.Figures[0].Add(started.Start.TotalMilliseconds);
                        program.Figures[1].Add(started.Cpu.TotalMilliseconds);
                    }
                }
            }

            for (var rest = 0; rest < Rests; rest++)
            {
                var started = await Task.WhenAll(programs.Select(p => p.Start(p.Assembly, azurite.ConnectionString, cancellationToken)));
                await Task.Delay(Rest, cancellationToken);
                foreach (var (program, process) in programs.Zip(started))
                {
                    var (workingSet, ofItsOwn) = process.Memory;
                    program.Figures[2].Add(workingSet / 1e6);
                    program.Figures[3].Add(ofItsOwn / 1e6);
                    await process.DisposeAsync();
                }
            }

            return Report(programs) ? 0 : 1;
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    /// <returns>True if no start took longer than it may.</returns>
    private static bool Report(Published[] programs)
    {
        Console.WriteLine($"| {Starts} starts, {Rests} rests, medians | {string.Join(" | ", Columns)} |");
        Console.WriteLine($"|---|{string.Concat(Columns.Select(_ => "---|"))}");
        var allGood = true;
        foreach (var pair in programs.Chunk(2))
        {
            var (app, empty) = (pair[0], pair[1]);
            var ratios = Columns.Select((_, i) => Median(app.Figures[i].Zip(empty.Figures[i], (a, e) => a / e))).ToList();
            allGood &= ratios[0] <= MostOfEmpty;
            Write(app, (figure, i) => string.Create(CultureInfo.InvariantCulture, $"{figure:0} ({ratios[i]:0.00} : 1)"));
            Write(empty, (figure, _) => figure.ToString("0", CultureInfo.InvariantCulture));
        }

        return allGood;
    }

    private static void Write(Published program, Func<double, int, string> cell) => Console.WriteLine(
        $"| {Path.GetFileNameWithoutExtension(program.Assembly)} | {string.Join(" | ", program.Figures.Select(Median).Select(cell))} |");

    private static async Task<Published> PublishAsync(
        string project, Start start, DirectoryInfo data, CancellationToken cancellationToken) => new(
        await Repository.PublishAsync(project, data, cancellationToken), start, [.. Columns.Select(_ => new List<double>())]);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    /// <param name="Figures">One list for each column.</param>
    private sealed record Published(string Assembly, Start Start, List<double>[] Figures);
}
