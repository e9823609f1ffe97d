using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>When everything fails at once, telemetry shows all of it: nothing is sampled away.</summary>
public sealed partial class TelemetryStormTests(AzuriteFixture azurite)
{
    private const int Requests = 600;

    [Fact]
    public async Task Application_insights_gets_every_failed_request_as_a_failure_and_every_error()
    {
        await using var collector = await TelemetryCollector.StartAsync();

        await StormAsync(new() { ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = collector.ConnectionString });

        var requests = collector.ItemsOf("RequestData").Where(item => (string?)item["responseCode"] == "503").ToList();
        Assert.Equal(Requests, requests.Count);
        Assert.All(requests, item => Assert.False((bool)item["success"]!));
        var errors = collector.ItemsOf("MessageData").Select(item => (string)item["message"]!);
        Assert.Equal(Requests, errors.Count(message => message.StartsWith("Storm", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_OTLP_collector_gets_every_failed_request_as_a_failure_and_every_error()
    {
        await using var collector = await TelemetryCollector.StartAsync();

        await StormAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        });

        // The description of a span's status: only a failure has one.
        Assert.Equal(Requests, collector.TextOf("/v1/traces").Split("could not be stored in time").Length - 1);
        Assert.Equal(Requests, collector.TextOf("/v1/logs").Split("Storm {Number}").Length - 1);
    }

    /// <summary>Every POST fails at once, each with a parent that says not to record it; and as many errors are logged.</summary>
    private async Task StormAsync(Dictionary<string, string?> settings)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(
            account, settings, StorageWire.Between(account, static (_, _, _) => throw new InvalidOperationException("away")));
        app.Client.DefaultRequestHeaders.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Requests),
            new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (i, _) =>
            {
                using var answer = await app.PostAsync(Scenario.EventOf($"{i}"));
                Assert.Equal(503, (int)answer.StatusCode);
            });

        using var source = new ActivitySource("Microsoft.AspNetCore");
        var logger = app.Services.GetRequiredService<ILogger<TelemetryStormTests>>();
        for (var i = 0; i < Requests; i++)
        {
            using var request = source.StartActivity("request", ActivityKind.Server);
            Log.Storm(logger, i);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Storm {Number}.")]
        public static partial void Storm(ILogger logger, int number);
    }
}
