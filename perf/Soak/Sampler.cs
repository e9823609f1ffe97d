using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Smtp2GoIngest.Soak;

/// <summary>Watches the process it runs in, and the lag of the events that are stored.</summary>
internal sealed class Sampler : IDisposable
{
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

    public Sample Take()
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

    public void Dispose() => listener.Dispose();
}
