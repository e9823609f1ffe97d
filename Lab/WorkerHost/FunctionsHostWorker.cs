using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Lab.WorkerHost;

/// <summary>A worker's process, started from the folder that is deployed as its <c>worker.config.json</c> says.</summary>
public sealed class FunctionsHostWorker : IDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();

    private FunctionsHostWorker(Process process, long startedAt) => (this.process, StartedAt) = (process, startedAt);

    /// <summary>The <see cref="Stopwatch"/>'s timestamp just before it was started.</summary>
    public long StartedAt { get; }

    /// <summary>What it has written to its standard output and error.</summary>
    public IReadOnlyCollection<string> Output => output;

    public Process Process => process;

    /// <param name="folder">What is deployed.</param>
    /// <param name="host">Where the host listens for the worker.</param>
    /// <param name="settings">Environment variables, also with colons in their names; one that is null is removed.</param>
    public static FunctionsHostWorker Start(string folder, Uri host, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "worker.config.json")))!["description"]!;
        var (workerId, requestId, limit) = (Guid.NewGuid(), Guid.NewGuid(), int.MaxValue);
        var start = new ProcessStartInfo((string)description["defaultExecutablePath"]!,
        [
            Path.Combine(folder, (string)description["defaultWorkerPath"]!),
            .. (string[])["--host", host.Host, "--port", $"{host.Port}", "--workerId", $"{workerId}", "--requestId", $"{requestId}"],
            .. (string[])["--grpcMaxMessageLength", $"{limit}", "--functions-uri", host.AbsoluteUri],
            .. (string[])["--functions-worker-id", $"{workerId}", "--functions-request-id", $"{requestId}"],
            .. (string[])["--functions-grpc-max-message-length", $"{limit}"],
        ])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["FUNCTIONS_WORKER_DIRECTORY"] = folder;
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = folder;
        foreach (var (name, value) in settings)
        {
            var variable = name.Replace(":", "__", StringComparison.Ordinal);
            if (value is null)
            {
                start.Environment.Remove(variable);
            }
            else
            {
                start.Environment[variable] = value;
            }
        }

        var startedAt = Stopwatch.GetTimestamp();
        var worker = new FunctionsHostWorker(Process.Start(start)!, startedAt);
        worker.process.OutputDataReceived += worker.Keep;
        worker.process.ErrorDataReceived += worker.Keep;
        worker.process.BeginOutputReadLine();
        worker.process.BeginErrorReadLine();
        return worker;
    }

    /// <summary>Sends SIGTERM.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await kill.WaitForExitAsync().WaitAsync(FunctionsHostRpc.Patience);
    }

    /// <summary>Waits until it has ended and all its output is read; returns its exit code.</summary>
    public async Task<int> ExitedAsync()
    {
        await process.WaitForExitAsync().WaitAsync(FunctionsHostRpc.Patience);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            output.Enqueue(line.Data);
        }
    }
}
