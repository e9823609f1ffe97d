using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Perf.Soak;

/// <summary>Watches the app from inside its process: the process itself, and the lag of the events that are stored.</summary>
internal sealed class Sampler : IDisposable
{
    /// <summary>The argument after <c>serve</c>.</summary>
    public const string Verb = "soak";

    private const double MB = 1024 * 1024;

    private readonly MeterListener listener = new();
    private readonly Lock gate = new();
    private readonly List<double> lags = [];

    public Sampler()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == IngestMetrics.Name && instrument.Name == "events.lag")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            lock (gate)
            {
                lags.Add(seconds);
            }
        });
        listener.Start();
    }

    public static Task<ServingProcess> StartAsync(string connectionString, CancellationToken cancellationToken) =>
        ServingProcess.StartAsync([Verb, connectionString], cancellationToken);

    /// <summary>What runs inside the process: the app, which answers with a sample when asked.</summary>
    public static async Task ServeAsync(string connectionString)
    {
        using var sampler = new Sampler();
        await ServingProcess.ServeAsync(
            Subject.Build(connectionString, consume: true), () => JsonSerializer.Serialize(sampler.Take(), SampleJson.Default.Sample));
    }

    public void Dispose() => listener.Dispose();

    private Sample Take()
    {
        using var self = Process.GetCurrentProcess();
        var memory = GC.GetGCMemoryInfo();
        lock (gate)
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
