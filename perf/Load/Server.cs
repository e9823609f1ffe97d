using System.Diagnostics;
using System.Globalization;

namespace Smtp2GoIngest.Load;

/// <summary>One side, running as a process of its own, so that what it costs can be told from what the client costs.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly Process process;

    private Server(Process process, Uri url) => (this.process, Url) = (process, url);

    public Uri Url { get; }

    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Bytes of the working set, the most so far.</summary>
    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public long Memory
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    public static async Task<Server> StartAsync(Side side, string connectionString, bool consume)
    {
        string[] arguments = [Environment.ProcessPath!, "serve", side.ToString(), connectionString, consume.ToString(CultureInfo.InvariantCulture)];
        var start = new ProcessStartInfo(arguments[0], arguments[1..]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        var started = Process.Start(start)!;
        var url = await started.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"{side} did not start.");
        return new Server(started, new Uri(url));
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await process.WaitForExitAsync(timeout.Token);
        process.Dispose();
    }
}
