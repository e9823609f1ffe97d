using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tests;

/// <summary>The worker's process, started from FunctionApp's own build output as its <c>worker.config.json</c> says.</summary>
internal sealed class FunctionsHostWorker : IDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> output = new();

    private FunctionsHostWorker(Process process) => this.process = process;

    /// <summary>The folder that is deployed.</summary>
    public static string Folder { get; } = Path.GetFullPath(typeof(FunctionsHostWorker).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "WorkerFolder").Value!);

    /// <summary>What it has written to its standard output and error.</summary>
    public IReadOnlyCollection<string> Output => output;

    public bool HasExited => process.HasExited;

    /// <param name="host">Where the host listens for the worker.</param>
    /// <param name="settings">The app's settings. Any other settings of the app are removed.</param>
    public static FunctionsHostWorker Start(Uri host, IReadOnlyDictionary<string, string?> settings)
    {
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "worker.config.json")))!["description"]!;
        var (workerId, requestId, limit) = (Guid.NewGuid(), Guid.NewGuid(), int.MaxValue);
        var start = new ProcessStartInfo((string)description["defaultExecutablePath"]!,
        [
            Path.Combine(Folder, (string)description["defaultWorkerPath"]!),
            .. (string[])["--host", host.Host, "--port", $"{host.Port}", "--workerId", $"{workerId}", "--requestId", $"{requestId}"],
            .. (string[])["--grpcMaxMessageLength", $"{limit}", "--functions-uri", host.AbsoluteUri],
            .. (string[])["--functions-worker-id", $"{workerId}", "--functions-request-id", $"{requestId}"],
            .. (string[])["--functions-grpc-max-message-length", $"{limit}"],
        ])
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(IsOfTheApp).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["FUNCTIONS_WORKER_DIRECTORY"] = Folder;
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = Folder;
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var worker = new FunctionsHostWorker(Process.Start(start)!);
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
        await kill.WaitForExitAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
    }

    /// <summary>Waits until it has ended and all its output is read; returns its exit code.</summary>
    public async Task<int> ExitedAsync()
    {
        await process.WaitForExitAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
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

    private static bool IsOfTheApp(string name) =>
        name.StartsWith($"{WebhookOptions.Section}__", StringComparison.Ordinal)
        || name.StartsWith($"{Smtp2GoOptions.Section}__", StringComparison.Ordinal)
        || name.StartsWith(StorageOptions.Connection, StringComparison.Ordinal);

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            output.Enqueue(line.Data);
        }
    }
}
