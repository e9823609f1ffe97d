using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Smtp2GoIngest.Telemetry;

/// <summary>The instruments of the app, one method per fact. No tag contains anything that a sender can choose freely.</summary>
public sealed class IngestMetrics
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Smtp2GoIngest";

    internal static readonly ActivitySource Activities = new(Name);

    private readonly Counter<long> received;
    private readonly Counter<long> refused;
    private readonly Histogram<double> ackDuration;
    private readonly Histogram<int> batchSize;
    private readonly Counter<long> stored;
    private readonly Counter<long> duplicate;
    private readonly Histogram<double> lag;
    private readonly Counter<long> deadLettered;
    private readonly Counter<long> sweepSkipped;
    private readonly Gauge<long> queueDepth;
    private readonly Gauge<double> queueOldestAge;

    public IngestMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(Name);
        received = meter.CreateCounter<long>("webhooks.received", "{webhook}", "Webhooks acknowledged, after they were queued.");
        refused = meter.CreateCounter<long>("webhooks.refused", "{webhook}", "POSTs not acknowledged, by reason.");
        ackDuration = meter.CreateHistogram<double>("webhooks.ack.duration", "s", "From the request to the 200 answer.");
        batchSize = meter.CreateHistogram<int>("webhooks.batch.size", "{webhook}", "Webhooks that share a queue message.");
        stored = meter.CreateCounter<long>("events.stored", "{event}", "Events written to Smtp2GoEvents, by event.");
        duplicate = meter.CreateCounter<long>("events.duplicate", "{event}", "Webhooks whose event was stored before.");
        lag = meter.CreateHistogram<double>("events.lag", "s", "From receiving a webhook to its stored row.");
        deadLettered = meter.CreateCounter<long>("webhooks.dead_lettered", "{webhook}", "Dead letters written, by reason.");
        sweepSkipped = meter.CreateCounter<long>(
            "blobs.sweep.skipped", "{sweep}", "Nightly sweeps skipped because an old message was waiting.");
        queueDepth = meter.CreateGauge<long>("queue.depth", "{message}", "Messages in a queue, including hidden ones, once a minute.");
        queueOldestAge = meter.CreateGauge<double>(
            "queue.oldest.age", "s", "Age of the oldest message in a queue, once a minute.");
    }

    internal void Received(TimeSpan duration)
    {
        received.Add(1);
        ackDuration.Record(duration.TotalSeconds);
    }

    internal void Batched(int webhooks) => batchSize.Record(webhooks);

    internal void Refused(string reason) => refused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void Stored(string eventName, TimeSpan after)
    {
        stored.Add(1, new KeyValuePair<string, object?>("event", eventName));
        lag.Record(Math.Max(0, after.TotalSeconds));
    }

    internal void Duplicate() => duplicate.Add(1);

    /// <param name="oldestAge">Null if it is not known, which is not the same as 0.</param>
    internal void QueueMeasured(string queue, int depth, TimeSpan? oldestAge)
    {
        var tag = new KeyValuePair<string, object?>("queue", queue);
        queueDepth.Record(depth, tag);
        if (oldestAge is { } age)
        {
            queueOldestAge.Record(Math.Max(0, age.TotalSeconds), tag);
        }
    }

    internal void DeadLettered(string reason) => deadLettered.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void SweepSkipped() => sweepSkipped.Add(1);
}
