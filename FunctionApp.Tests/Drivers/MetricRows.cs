using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests;

/// <summary>The rows of customMetrics that the app's own metrics come to, with sums and counts as the exporter adds them up.</summary>
internal sealed class MetricRows : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();
    private readonly MeterListener listener = new();
    private int times;

    public MetricRows()
    {
        var scope = services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Meter.Scope == scope)
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            Rows.Add(Row(instrument.Name, value * times, times, tags)));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            Rows.Add(Row(instrument.Name, value * times, times, tags)));
        listener.Start();
    }

    public JsonArray Rows { get; } = [];

    /// <summary>An item that the exporter for Azure Monitor sent, as Application Insights shows it.</summary>
    public static JsonObject RowOf(JsonNode item)
    {
        var metric = Assert.Single(item["metrics"]!.AsArray())!;
        KeyValuePair<string, object?>[] tags =
            [.. item["properties"]?.AsObject().Select(tag => KeyValuePair.Create(tag.Key, (object?)(string?)tag.Value)) ?? []];
        return Row((string)metric["name"]!, (double)metric["value"]!, (int?)metric["count"] ?? 1, tags);
    }

    /// <summary>Counts this many identical events. Only one is measured: the tests hear each other's metrics.</summary>
    public void Add(int count, string eventName, string? bounce, EventFacts? facts, bool isTest, string? message = null)
    {
        times = count;
        Add(services.GetRequiredService<IngestMetrics>(), eventName, bounce, facts, isTest, message);
    }

    /// <summary>What an audit found, exported so many times.</summary>
    public void Missing(string eventName, string? bounce, long count, int exports = 1)
    {
        times = 1;
        for (var i = 0; i < exports; i++)
        {
            services.GetRequiredService<IngestMetrics>().Missing(eventName, bounce, count);
        }
    }

    /// <summary>Counts one event, as the app does after it has stored it.</summary>
    public static void Add(
        IngestMetrics metrics, string eventName, string? bounce, EventFacts? facts, bool isTest, string? message = null)
    {
        List<(string Name, string Value)> fields =
            [("event", eventName), ("bounce", bounce ?? string.Empty), ("message", message ?? string.Empty)];
        if (isTest)
        {
            fields.AddRange([("subject", "Mail test - please ignore"), ("sendtime", "2015-08-04T22:39:34Z")]);
        }

        Assert.True(EmailEvent.TryCreate([.. fields.Select(f => new WebhookField(f.Name, [new FieldValue(f.Value)]))], out var e));
        Assert.Equal(isTest, e.IsTest);
        EventCounts.Add(metrics, e, facts ?? new EventFacts(), TimeSpan.FromSeconds(1));
    }

    public void Dispose()
    {
        listener.Dispose();
        services.Dispose();
    }

    private static JsonObject Row(string name, double sum, int count, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var dimensions = new JsonObject();
        foreach (var (tag, value) in tags)
        {
            dimensions[tag] = Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        return new JsonObject
        {
            ["name"] = name,
            ["value"] = sum,
            ["valueSum"] = sum,
            ["valueCount"] = count,
            ["customDimensions"] = dimensions,
        };
    }
}
