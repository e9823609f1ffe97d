using System.Diagnostics.Metrics;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>Every HTTP request of this process.</summary>
internal sealed class RequestCount : IDisposable
{
    private readonly MeterListener listener = new();
    private long count;

    public RequestCount()
    {
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "http.client.request.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref count));
        listener.Start();
    }

    public long Count => Interlocked.Read(ref count);

    public void Dispose() => listener.Dispose();
}
