using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Soak;

/// <summary>The app in a process of its own, as it runs anywhere, that answers a line on standard input with a sample of itself.</summary>
internal sealed class Subject : IAsyncDisposable
{
    public const string Username = "smtp2go";
    public const string Password = "right-horse-battery-staple";

    private const double MB = 1024 * 1024;

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly Process process;

    private Subject(Process process, Uri url) => (this.process, Url) = (process, url);

    public Uri Url { get; }

    public static async Task<Subject> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["serve", connectionString]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        var started = Process.Start(start)!;
        var url = await started.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The app did not start.");
        return new Subject(started, new Uri(url));
    }

    public async Task<Sample> SampleAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(AnswerTimeout);
        await process.StandardInput.WriteLineAsync();
        var line = await process.StandardOutput.ReadLineAsync(timeout.Token) ?? throw new InvalidOperationException("The app has ended.");
        return JsonSerializer.Deserialize(line, SampleJson.Default.Sample)!;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await process.WaitForExitAsync(timeout.Token);
        process.Dispose();
    }

    /// <summary>The inside of the process: serves until standard input closes.</summary>
    public static async Task ServeAsync(string connectionString)
    {
        var lags = new List<double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == IngestMetrics.Name && instrument.Name == "events.lag")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            lock (lags)
            {
                lags.Add(seconds);
            }
        });
        listener.Start();

        await using var app = SelfHostedApp.Build(
            [],
            [
                new("urls", "http://127.0.0.1:0"),
                new("EventStorage", connectionString),
                new("Webhook:Username", Username),
                new("Webhook:Password", Password),
                new("Logging:Console:LogLevel:Default", "None"),
            ]);
        await app.StartAsync();
        Console.WriteLine(app.Urls.Single());
        while (await Console.In.ReadLineAsync() is not null)
        {
            Console.WriteLine(JsonSerializer.Serialize(Take(lags), SampleJson.Default.Sample));
        }

        await app.StopAsync();
    }

    private static Sample Take(List<double> lags)
    {
        using var self = Process.GetCurrentProcess();
        var memory = GC.GetGCMemoryInfo();
        lock (lags)
        {
            lags.Sort();
            var sample = new Sample(
                self.WorkingSet64 / MB,
                memory.HeapSizeBytes / MB,
                self.HandleCount,
                self.Threads.Count,
                GC.CollectionCount(0),
                GC.CollectionCount(2),
                memory.PauseTimePercentage,
                lags.Count == 0 ? 0 : lags[lags.Count / 2],
                lags.Count == 0 ? 0 : lags[^1]);
            lags.Clear();
            return sample;
        }
    }
}
