using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.StartUp;

/// <summary>Measures the time from process start to the first 200, with ReadyToRun, in turn with an empty Kestrel app.</summary>
internal sealed class StartUpCommand : Command
{
    private const int Runs = 15;
    private const int WarmUps = 2;
    private const double MostOfEmpty = 1.6;

    public StartUpCommand()
        : base("startup", "Measures how long the app takes from its start to its first answer, compared with an empty Kestrel app.") =>
        SetAction((_, cancellationToken) => RunAsync(cancellationToken));

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var data = Directory.CreateTempSubdirectory("smtp2go-ingest-startup-");
        try
        {
            await AzuriteInstallation.InstallAsync(cancellationToken);
            await using var azurite = await Azurite.StartAsync(data.FullName, [], cancellationToken);
            var app = await PublishAsync("SelfHost", data, cancellationToken);
            var empty = await PublishAsync("perf/EmptyKestrel", data, cancellationToken);
            var times = (App: new List<double>(), Empty: new List<double>());
            for (var run = -WarmUps; run < Runs; run++)
            {
                var appTime = await StartAsync(app, azurite.ConnectionString, cancellationToken);
                var emptyTime = await StartAsync(empty, azurite.ConnectionString, cancellationToken);
                if (run >= 0)
                {
                    times.App.Add(appTime);
                    times.Empty.Add(emptyTime);
                }
            }

            var ratio = Median(times.App.Zip(times.Empty, (a, e) => a / e));
            Console.WriteLine(
                $"{Runs} starts each, in turn, medians: the app {Median(times.App):0} ms, an empty Kestrel app {Median(times.Empty):0} ms, "
                + $"ratio {ratio:0.00}");
            return ratio <= MostOfEmpty ? 0 : 1;
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<string> PublishAsync(string project, DirectoryInfo data, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(project);
        var output = Path.Combine(data.FullName, name);
        string[] arguments =
        [
            "publish", Path.Combine(Repository.Root, project), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier,
            "--self-contained", "false", "-p:PublishReadyToRun=true", "-o", output, "-v", "quiet",
        ];
        using var publish = Process.Start("dotnet", arguments);
        await publish.WaitForExitAsync(cancellationToken);
        return publish.ExitCode == 0
            ? Path.Combine(output, $"{name}.dll")
            : throw new InvalidOperationException($"Could not publish {project}.");
    }

    /// <summary>Milliseconds from the start of the process to its first answer.</summary>
    private static async Task<double> StartAsync(string assembly, string connectionString, CancellationToken cancellationToken)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = Subject.StartInfo(assembly, url, connectionString);
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = true;
        using var client = new HttpClient();
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        try
        {
            while (true)
            {
                try
                {
                    using var answer = await client.GetAsync(new Uri(url, "health"), cancellationToken);
                    return answer.IsSuccessStatusCode
                        ? Stopwatch.GetElapsedTime(started).TotalMilliseconds
                        : throw new InvalidOperationException($"{assembly} answered {answer.StatusCode}.");
                }
                catch (HttpRequestException) when (!process.HasExited && Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1))
                {
                    await Task.Delay(2, cancellationToken);
                }
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Runs / 2);
}
