using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Smtp2GoIngest.Telemetry;

/// <summary>The instruments of the app, one method per fact. No tag contains anything that a sender can choose freely.</summary>
public sealed class IngestMetrics
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Smtp2GoIngest";

    internal static readonly ActivitySource Activities = new(Name);

    /// <summary>The lower bounds of the ranges that deliveries are counted in, in seconds. A range includes its upper bound.</summary>
    /// <remarks>
    /// Azure Monitor keeps only count, sum, minimum and maximum of a histogram. With the bound as a tag, a query still finds the range of
    /// the median, by valueCount for each bound.
    /// </remarks>
    internal static readonly int[] DeliveryBounds = [0, 10, 60, 300, 600, 1_800, 3_600, 14_400, 86_400];

    private static readonly KeyValuePair<string, object?> OfTest = new("test", true);

    private static readonly KeyValuePair<string, object?>[] Over =
        [.. DeliveryBounds.Select(bound => new KeyValuePair<string, object?>("over", bound))];

    private readonly Counter<long> received;
    private readonly Counter<long> refused;
    private readonly Histogram<double> ackDuration;
    private readonly Histogram<int> batchSize;
    private readonly Counter<long> stored;
    private readonly Counter<long> duplicate;
    private readonly Counter<long> bounced;
    private readonly Counter<long> rejected;
    private readonly Histogram<double> deliveryDuration;
    private readonly Histogram<double> lag;
    private readonly Counter<long> deadLettered;
    private readonly Counter<long> sweepSkipped;
    private readonly Gauge<long> missing;
    private readonly Gauge<long> queueDepth;
    private readonly Gauge<double> queueOldestAge;

    public IngestMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(Name);
        received = meter.CreateCounter<long>("webhooks.received", "{webhook}", "Webhooks acknowledged, after they were queued.");
        refused = meter.CreateCounter<long>("webhooks.refused", "{webhook}", "POSTs not acknowledged, by reason.");
        ackDuration = meter.CreateHistogram<double>("webhooks.ack.duration", "s", "From the request to the 200 answer.");
        batchSize = meter.CreateHistogram<int>("webhooks.batch.size", "{webhook}", "Webhooks that share a queue message.");
        stored = meter.CreateCounter<long>(
            "events.stored", "{event}", "Events written to Smtp2GoEvents, by event; test events are marked.");
        duplicate = meter.CreateCounter<long>("events.duplicate", "{event}", "Webhooks whose event was stored before.");
        bounced = meter.CreateCounter<long>("events.bounced", "{event}", "Bounces stored, hard or soft, by class; without test events.");
        rejected = meter.CreateCounter<long>(
            "events.rejected", "{event}", "Rejects stored, by whose fault and by class; without test events.");
        deliveryDuration = meter.CreateHistogram<double>(
            "events.delivery.duration", "s", "From submission to delivery, by the lower bound of its range; without test events.");
        lag = meter.CreateHistogram<double>("events.lag", "s", "From receiving a webhook to its stored row.");
        deadLettered = meter.CreateCounter<long>("webhooks.dead_lettered", "{webhook}", "Dead letters written, by reason.");
        sweepSkipped = meter.CreateCounter<long>(
            "blobs.sweep.skipped", "{sweep}", "Nightly sweeps skipped because an old message was waiting.");
        missing = meter.CreateGauge<long>(
            "events.missing", "{event}", "Events of the last audited days that SMTP2GO has and that are not stored, by event, once a day.");
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

    /// <param name="isTest">Only test events have the tag, so that existing sums stay the same.</param>
    internal void Stored(string eventName, bool isTest, TimeSpan after)
    {
        var tag = new KeyValuePair<string, object?>("event", eventName);
        if (isTest)
        {
            stored.Add(1, tag, OfTest);
        }
        else
        {
            stored.Add(1, tag);
        }

        lag.Record(Math.Max(0, after.TotalSeconds));
    }

    /// <param name="kind"><c>hard</c> or <c>soft</c>.</param>
    internal void Bounced(string kind, string bounceClass) => bounced.Add(
        1, new KeyValuePair<string, object?>("bounce", kind), new KeyValuePair<string, object?>("class", bounceClass));

    /// <param name="fault"><c>recipient</c>, <c>sender</c> or <c>unknown</c>.</param>
    internal void Rejected(string fault, string bounceClass) => rejected.Add(
        1, new KeyValuePair<string, object?>("fault", fault), new KeyValuePair<string, object?>("class", bounceClass));

    internal void Delivered(double seconds)
    {
        var range = DeliveryBounds.Length - 1;
        while (range > 0 && seconds <= DeliveryBounds[range])
        {
            range--;
        }

        deliveryDuration.Record(Math.Max(0, seconds), Over[range]);
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

    /// <param name="bounce"><c>hard</c> or <c>soft</c> for bounces, else null.</param>
    internal void Missing(string eventName, string? bounce, long count)
    {
        var tag = new KeyValuePair<string, object?>("event", eventName);
        if (bounce is null)
        {
            missing.Record(count, tag);
        }
        else
        {
            missing.Record(count, tag, new KeyValuePair<string, object?>("bounce", bounce));
        }
    }

    internal void SweepSkipped() => sweepSkipped.Add(1);
}
