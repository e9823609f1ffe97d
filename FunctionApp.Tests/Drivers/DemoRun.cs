using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Local;

namespace Smtp2GoIngest.Tests;

/// <summary>A running demo, with its own ports and folder, and what it has printed.</summary>
internal sealed class DemoRun : IAsyncDisposable
{
    private readonly CancellationTokenSource interrupt = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
    private readonly StringWriter output = new();
    private readonly TextWriter synchronized;
    private readonly Task<int> running;

    private DemoRun(string folder, string[] args)
    {
        synchronized = TextWriter.Synchronized(output);
        running = Task.Run(() => DemoCommand.RunAsync(args, synchronized, synchronized, PlaceIn(folder), interrupt.Token));
    }

    public string Output
    {
        get
        {
            // Its own writes take the same lock.
            lock (synchronized)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>What it printed after a text, up to the end of the line.</summary>
    public string After(string text) => Output[(Output.IndexOf(text, StringComparison.Ordinal) + text.Length)..].Split('\n')[0].Trim();

    public string ConnectionString => After("export EventStorage=").Trim('\'');

    /// <summary>Its webhook URL.</summary>
    public string Endpoint => Output.Split('\n')
        .Select(line => line.Trim())
        .First(line => line.StartsWith("http", StringComparison.Ordinal) && line.Contains("/webhook/", StringComparison.Ordinal))
        .Split(' ')[0];

    public static DemoPlace PlaceIn(string folder) => new(folder, AzuritePorts.AnyFree, AppPort: 0, Smtp2GoPort: 0);

    public static async Task<DemoRun> StartAsync(string folder, params string[] args)
    {
        var run = new DemoRun(folder, args);
        await Eventually.Get(
            () => Task.FromResult(run.Output), text => run.running.IsCompleted || text.Contains("Ctrl+C", StringComparison.Ordinal));
        Assert.False(run.running.IsCompleted, run.Output);
        return run;
    }

    /// <summary>Ctrl+C.</summary>
    public async Task<int> StopAsync()
    {
        await interrupt.CancelAsync();
        return await running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        interrupt.Dispose();
        await output.DisposeAsync();
    }
}
