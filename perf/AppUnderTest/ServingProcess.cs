using System.Diagnostics;
using Microsoft.AspNetCore.Builder;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>
/// A server in its own process, so that its cost can be told from its clients' cost: this program again, with the hidden command
/// <c>serve</c>. It prints its address in the first line and answers each further line with its figures, or <c>switch</c> with the
/// address of its next app, until its standard input closes.
/// </summary>
internal sealed class ServingProcess : IAsyncDisposable
{
    private const string SwitchLine = "switch";

    // The host's own shutdown time-out is 30 seconds.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly Process process;

    private ServingProcess(Process process, Uri url) => (this.process, Url) = (process, url);

    public Uri Url { get; private set; }

    /// <summary>Processor time so far.</summary>
    public TimeSpan Cpu => Refreshed.TotalProcessorTime;

    /// <summary>The working set, in bytes.</summary>
    public long Memory => Refreshed.WorkingSet64;

    /// <summary>The largest working set so far, in bytes.</summary>
    public long PeakMemory => Refreshed.PeakWorkingSet64;

    private Process Refreshed
    {
        get
        {
            process.Refresh();
            return process;
        }
    }

    /// <summary>Starts this program as a server; returns when it listens.</summary>
    /// <param name="arguments">The arguments after <c>serve</c>.</param>
    /// <param name="assembly">A copy of this program that is compiled as the app is deployed; null for this one.</param>
    /// <exception cref="InvalidOperationException">It ended before it listened.</exception>
    public static async Task<ServingProcess> StartAsync(
        IEnumerable<string> arguments, CancellationToken cancellationToken, string? assembly = null)
    {
        var (program, first) = assembly is null ? (Environment.ProcessPath!, Array.Empty<string>()) : ("dotnet", [assembly]);
        var started = Process.Start(new ProcessStartInfo(program, [.. first, "serve", .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return new ServingProcess(started, new Uri(await ReadLineAsync(started.StandardOutput, AnswerTimeout, cancellationToken)));
    }

    /// <summary>Has the server stop its app and start the next one; returns when that listens.</summary>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public async Task SwitchAsync(CancellationToken cancellationToken) =>
        Url = new Uri(await AskAsync(SwitchLine, StopTimeout, cancellationToken));

    /// <summary>Asks the server for its figures.</summary>
    /// <exception cref="InvalidOperationException">It has ended.</exception>
    public Task<string> AskAsync(CancellationToken cancellationToken) => AskAsync(string.Empty, AnswerTimeout, cancellationToken);

    /// <summary>What runs inside the process.</summary>
    /// <param name="answer">Returns one line of figures each time it is asked.</param>
    /// <returns>Whether another app is wanted.</returns>
    public static async Task<bool> ServeAsync(WebApplication app, Func<string> answer)
    {
        await app.StartAsync();
        Console.WriteLine(app.Urls.Single());
        string? line;
        while ((line = await Console.In.ReadLineAsync()) is not (null or SwitchLine))
        {
            Console.WriteLine(answer());
        }

        await app.StopAsync();
        await app.DisposeAsync();
        return line is not null;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(StopTimeout);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill();
            throw new TimeoutException($"The server did not end within {StopTimeout.TotalSeconds} seconds.", e);
        }
        finally
        {
            process.Dispose();
        }
    }

    private async Task<string> AskAsync(string question, TimeSpan atMost, CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteLineAsync(question);
        return await ReadLineAsync(process.StandardOutput, atMost, cancellationToken);
    }

    private static async Task<string> ReadLineAsync(StreamReader output, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(atMost);
        return await output.ReadLineAsync(timeout.Token) ?? throw new InvalidOperationException("The server has ended.");
    }
}
