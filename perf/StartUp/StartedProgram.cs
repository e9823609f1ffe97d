using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Smtp2GoIngest.Lab.WorkerHost;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.StartUp;

/// <summary>A program in its own process, from its start to its first answer and until it is disposed of.</summary>
internal sealed class StartedProgram : IAsyncDisposable
{
    private readonly Process process;
    private readonly IAsyncDisposable owner;

    private StartedProgram(Process process, long startedAt, IAsyncDisposable owner)
    {
        (this.process, this.owner) = (process, owner);
        Start = Stopwatch.GetElapsedTime(startedAt);
        process.Refresh();
        Cpu = process.TotalProcessorTime;
    }

    /// <summary>From the start of the process to its first answer.</summary>
    public TimeSpan Start { get; }

    /// <summary>Processor time until then.</summary>
    public TimeSpan Cpu { get; }

    /// <summary>What is in memory now, in bytes: all of it, and what the process shares with no other.</summary>
    public (double WorkingSet, double Private) Memory
    {
        get
        {
            process.Refresh();
            var lines = OperatingSystem.IsLinux() ? File.ReadAllLines($"/proc/{process.Id}/smaps_rollup") : [];
            var kibibytes = lines.Where(line => line.StartsWith("Private_", StringComparison.Ordinal)).Sum(line => double.Parse(
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture));
            return (process.WorkingSet64, lines.Length > 0 ? kibibytes * 1024 : process.PrivateMemorySize64);
        }
    }

    /// <summary>Starts a server that listens where <c>--urls</c> says.</summary>
    public static async Task<StartedProgram> ServerAsync(string assembly, string connectionString, CancellationToken cancellationToken)
    {
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = Subject.StartInfo(assembly, url, connectionString);
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = true;
        using var client = new HttpClient();
        var startedAt = Stopwatch.GetTimestamp();
        var server = Process.Start(start)!;
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(url, "health"), cancellationToken);
                answer.EnsureSuccessStatusCode();
                return new StartedProgram(server, startedAt, new Owned(server));
            }
            catch (HttpRequestException e) when (e.StatusCode is null
                && !server.HasExited && Stopwatch.GetElapsedTime(startedAt) < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(2, cancellationToken);
            }
            catch
            {
                server.Kill();
                throw;
            }
        }
    }

    /// <summary>Starts a worker of Azure Functions, with a host that speaks to it as the real one does.</summary>
    public static async Task<StartedProgram> WorkerAsync(string assembly, string connectionString, CancellationToken cancellationToken)
    {
        var environment = Subject.StartInfo(assembly, new Uri("http://127.0.0.1"), connectionString).Environment;
        var host = await FunctionsHost.StartAsync(Path.GetDirectoryName(assembly)!, [.. environment], cancellationToken);
        try
        {
            using var answer = await host.Client.GetAsync("health", cancellationToken);
            answer.EnsureSuccessStatusCode();
            return new StartedProgram(host.Worker.Process, host.Worker.StartedAt, host);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => owner.DisposeAsync();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Owned(Process process) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
