using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>The real app in its own process, which is killed and restarted on the same port.</summary>
internal sealed class AppProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(1);

    private readonly string folder;
    private readonly string connectionString;
    private readonly StreamWriter log;
    private readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
    private Process? process;

    private AppProcess(string folder, string connectionString, string logFile)
    {
        (this.folder, this.connectionString) = (folder, connectionString);
        log = new StreamWriter(logFile) { AutoFlush = true };
        Url = new Uri($"http://127.0.0.1:{FreePort()}");
    }

    public Uri Url { get; }

    public int Kills { get; private set; }

    public int Terminations { get; private set; }

    /// <summary>Exits that nobody asked for, and exits on SIGTERM that were not clean.</summary>
    public List<string> BadEnds { get; } = [];

    /// <summary>Copies the app, so that its settings can be changed for the run.</summary>
    public static async Task<AppProcess> CopyAsync(DirectoryInfo data, string connectionString, CancellationToken cancellationToken)
    {
        var copy = Path.Combine(data.FullName, "app");
        foreach (var file in Directory.EnumerateFiles(Repository.SelfHostFolder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(Repository.SelfHostFolder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        // A developer's own settings are not part of the experiment.
        File.Delete(Path.Combine(copy, "local.settings.json"));
        var hostFile = Path.Combine(copy, "host.json");
        var host = JsonNode.Parse(await File.ReadAllTextAsync(hostFile, cancellationToken))!;
        var queues = host["extensions"]!["queues"]!;
        Journal.Note(
            $"host.json: visibilityTimeout is 00:00:01 in this run instead of {queues["visibilityTimeout"]}, so that many retries fit in.");
        queues["visibilityTimeout"] = "00:00:01";
        await File.WriteAllTextAsync(hostFile, host.ToJsonString(), cancellationToken);

        return new AppProcess(copy, connectionString, Path.Combine(data.FullName, "app.log"));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var start = Subject.StartInfo(Path.Combine(folder, "SelfHost.dll"), Url, connectionString);
        start.WorkingDirectory = folder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;

        // It lives for seconds: recompiling methods for speed would cost more than it gains.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["Logging__LogLevel__Default"] = "Warning";
        start.Environment["Logging__Console__FormatterName"] = "simple";
        start.Environment["Logging__Console__FormatterOptions__SingleLine"] = "true";
        start.Environment["Logging__Console__FormatterOptions__TimestampFormat"] = "HH:mm:ss.fff ";
        process?.Dispose();
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => Write(e.Data);
        process.ErrorDataReceived += (_, e) => Write(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        while (!await IsHealthyAsync(timeout.Token))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"The app did not start (exit code {process.ExitCode}); app.log says why.");
            }

            await Task.Delay(50, timeout.Token);
        }
    }

    /// <summary>SIGKILL: nothing is finished.</summary>
    public async Task KillAsync()
    {
        NoteBadEnd();
        process!.Kill();
        await process.WaitForExitAsync();
        Kills++;
    }

    /// <summary>SIGTERM: it finishes what it has begun. Windows has no such signal; there it is killed.</summary>
    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            await KillAsync();
            return;
        }

        NoteBadEnd();
        using (var kill = Process.Start("kill", ["-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(cancellationToken);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StopTimeout);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
            if (process.ExitCode != 0)
            {
                BadEnds.Add($"exit code {process.ExitCode} after SIGTERM");
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            BadEnds.Add($"still running {StopTimeout.TotalSeconds} s after SIGTERM");
            await KillAsync();
        }

        Terminations++;
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process?.Dispose();
        http.Dispose();
        await log.DisposeAsync();
    }

    private void NoteBadEnd()
    {
        if (process!.HasExited)
        {
            BadEnds.Add($"ended by itself with exit code {process.ExitCode}");
        }
    }

    private async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(Url, "health"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Write(string? line)
    {
        if (line is not null)
        {
            lock (log)
            {
                log.WriteLine(line);
            }
        }
    }

    // Below the ports that the system gives to connections: while the app is down, none of them may take its port.
    private static int FreePort()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(endpoint => endpoint.Port).ToHashSet();
        return Enumerable.Range(0, 1000).Select(_ => Random.Shared.Next(20_000, 30_000)).First(port => !taken.Contains(port));
    }
}
