using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Smtp2GoIngest.AppUnderTest;
using Smtp2GoIngest.Lab;

// From the start of the process to the first 200, ReadyToRun, in turn with an empty Kestrel app.
const int Runs = 15;
var root = Path.GetFullPath(
    Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!);
var data = Directory.CreateTempSubdirectory("smtp2go-ingest-startup-");
try
{
    await Azurite.InstallAsync(CancellationToken.None);
    await using var azurite = await Azurite.StartAsync(data.FullName, [], CancellationToken.None);
    var app = Publish("FunctionApp", "Smtp2GoIngest.dll");
    var empty = Publish("perf/EmptyKestrel", "Smtp2GoIngest.EmptyKestrel.dll");
    var times = (App: new List<double>(), Empty: new List<double>());
    for (var run = -2; run < Runs; run++)
    {
        var (appTime, emptyTime) = (await StartAsync(app, azurite.ConnectionString), await StartAsync(empty, azurite.ConnectionString));
        if (run >= 0)
        {
            times.App.Add(appTime);
            times.Empty.Add(emptyTime);
        }
    }

    var ratio = Median(times.App.Zip(times.Empty, (a, e) => a / e));
    Console.WriteLine(
        $"{Runs} starts each, in turn, medians: the app {Median(times.App):0} ms, an empty Kestrel app {Median(times.Empty):0} ms, ratio {ratio:0.00}");
    return ratio <= 1.6 ? 0 : 1;
}
finally
{
    data.Delete(recursive: true);
}

string Publish(string project, string assembly)
{
    var output = Path.Combine(data.FullName, Path.GetFileName(project));
    string[] arguments =
    [
        "publish", Path.Combine(root, project), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false",
        "-p:PublishReadyToRun=true", "-o", output, "-v", "quiet",
    ];
    using var publish = Process.Start("dotnet", arguments);
    publish.WaitForExit();
    return publish.ExitCode == 0
        ? Path.Combine(output, assembly)
        : throw new InvalidOperationException($"{project} could not be published.");
}

static async Task<double> StartAsync(string assembly, string connectionString)
{
    var port = FreePort();
    var start = new ProcessStartInfo("dotnet", [assembly, "--urls", $"http://127.0.0.1:{port}"])
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        RedirectStandardInput = true,
    };
    start.Environment["EventStorage"] = connectionString;
    start.Environment["Webhook__Username"] = Subject.Username;
    start.Environment["Webhook__Password"] = Subject.Password;
    using var client = new HttpClient();
    var started = Stopwatch.GetTimestamp();
    using var process = Process.Start(start)!;
    try
    {
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/health"));
                return answer.IsSuccessStatusCode
                    ? Stopwatch.GetElapsedTime(started).TotalMilliseconds
                    : throw new InvalidOperationException($"{assembly} answered {answer.StatusCode}.");
            }
            catch (HttpRequestException) when (!process.HasExited && Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(2);
            }
        }
    }
    finally
    {
        process.Kill();
        await process.WaitForExitAsync();
    }
}

static int FreePort()
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    return ((IPEndPoint)listener.LocalEndpoint).Port;
}

static double Median(IEnumerable<double> values)
{
    var sorted = values.Order().ToList();
    return sorted[sorted.Count / 2];
}
