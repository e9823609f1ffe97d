using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Tests;

/// <summary>Catches everything that the app emits: every log line down to Trace with its exception, every span of the
/// sources that are exported, every measurement.</summary>
internal sealed class Emitted : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> lines = new();
    private readonly ActivityListener activities;
    private readonly MeterListener meters;

    public Emitted()
    {
        activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Smtp2GoIngest" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => lines.Enqueue(
                $"span {activity.Source.Name} {activity.DisplayName} {activity.TraceId} {string.Join(' ', activity.TagObjects)} "
                + string.Join(' ', activity.Events.SelectMany(e => e.Tags.Prepend(new("event", e.Name))))),
        };
        ActivitySource.AddActivityListener(activities);

        meters = new MeterListener { InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument) };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Measured(instrument, value, tags));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
        meters.Start();
    }

    public IReadOnlyCollection<string> Lines => lines;

    /// <summary>What one app measured: tests run in parallel, and each one hears the meters of all.</summary>
    public IEnumerable<string> MeasuredBy(IServiceProvider services)
    {
        var mark = MarkOf(services.GetRequiredService<IMeterFactory>());
        return lines
            .Where(line => line.StartsWith("metric ", StringComparison.Ordinal) && line.EndsWith(mark, StringComparison.Ordinal))
            .Select(line => line[..^mark.Length]);
    }

    private static string MarkOf(object? scope) => $" by {RuntimeHelpers.GetHashCode(scope)}";

    public void AddTo(IServiceCollection services) => services.AddLogging(logging => logging
        .AddProvider(this)
        .SetMinimumLevel(LogLevel.Trace)
        .AddFilter("Microsoft.AspNetCore", LogLevel.Trace)
        .AddFilter<Emitted>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Trace));

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        lines.Enqueue($"scope {state}");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue(
            $"log {logLevel} {eventId.Id} {formatter(state, exception)} {exception} "
                + (state is IEnumerable<KeyValuePair<string, object?>> values ? string.Join(' ', values) : string.Empty));

    public void Dispose()
    {
        activities.Dispose();
        meters.Dispose();
    }

    private void Measured(Instrument instrument, object value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        lines.Enqueue(
            $"metric {instrument.Meter.Name} {instrument.Name} {value} {string.Join(' ', tags.ToArray())}{MarkOf(instrument.Meter.Scope)}");
}
