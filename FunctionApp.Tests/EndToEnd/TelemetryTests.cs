using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>What the app counts, and the one trace that leads from a POST to its row.</summary>
public sealed class TelemetryTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Every_outcome_is_counted_once()
    {
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), configure: emitted.AddTo);
        foreach (var body in new[] { "event=open&id=1", "event=opened&id=1", "event=open&id=1&x=y", "event=brand-new", "a=b" })
        {
            await app.AcknowledgedAsync(body);
            await app.DrainedAsync();
        }

        using var refused = await app.PostAsync("{");

        Assert.Equal(5, Count("webhooks.received 1"));
        Assert.Equal(5, Count("webhooks.ack.duration"));
        Assert.Equal(1, Count("webhooks.refused 1 [reason, malformed-json]"));
        Assert.Equal(1, Count("events.stored 1 [event, open]"));
        Assert.Equal(1, Count("events.stored 1 [event, other]"));
        Assert.Equal(1, Count("events.duplicate 1"));
        Assert.Equal(2, Count("events.lag"));
        Assert.Equal(1, Count("webhooks.dead_lettered 1 [reason, conflict]"));
        Assert.Equal(1, Count("webhooks.dead_lettered 1 [reason, no-event]"));

        int Count(string measurement) =>
            emitted
                .MeasuredBy(app.Services)
                .Count(line => line.StartsWith($"metric Smtp2GoIngest {measurement}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_gets_metrics_spans_and_logs_and_no_secret()
    {
        const string Marker = "needle9917";
        await using var collector = await TelemetryCollector.StartAsync();
        var settings = new Dictionary<string, string?>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["Webhook:Password"] = $"right-secret-{Marker}",
            ["Logging:LogLevel:Default"] = "Trace",
        };
        await using (var app = await IngestApp.StartAsync(azurite.NewAccount(), settings))
        {
            foreach (var path in new[]
                {
                    $"webhook/smtp2go_right-secret-{Marker}",
                    $"webhook/smtp2go?p=wrong-{Marker}",
                    $"webhook/smtp2go_wrong-{Marker}",
                    $"elsewhere/{Marker}",
                })
            {
                using var content = new StringContent($"event=open&email_id={Marker}&rcpt={Marker}@x.example");
                using var answer = await app.Client.PostAsync(path, content, Test.Token);
            }

            using var bounce = new StringContent($"event=bounce&bounce=hard&email_id={Marker}&rcpt={Marker}@x.example&message=no+{Marker}");
            using var answered = await app.Client.PostAsync($"webhook/smtp2go_right-secret-{Marker}", bounce, Test.Token);
            await app.DrainedAsync();
            await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
        }

        Assert.Contains("webhooks.received", collector.TextOf("/v1/metrics"), StringComparison.Ordinal);
        Assert.Contains("store webhook", collector.TextOf("/v1/traces"), StringComparison.Ordinal);
        Assert.Contains("wrong-secret", collector.TextOf("/v1/logs"), StringComparison.Ordinal);
        Assert.All(
            ["/v1/metrics", "/v1/traces", "/v1/logs"],
            path => Assert.DoesNotContain(Marker, collector.TextOf(path), StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_span_of_storing_is_a_child_of_the_span_of_the_post()
    {
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), configure: emitted.AddTo);
        var trace = string.Create(CultureInfo.InvariantCulture, $"{Random.Shared.NextInt64():x16}{Random.Shared.NextInt64():x16}");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"webhook/smtp2go?p={IngestApp.Password}")
        {
            Content = new StringContent("event=open"),
        };
        request.Headers.Add("traceparent", $"00-{trace}-b7ad6b7169203331-01");

        using var answer = await app.Client.SendAsync(request, Test.Token);
        await app.DrainedAsync();

        await Eventually.Get(
            () => Task.FromResult(emitted.Lines.Count(line => line.Contains(trace, StringComparison.Ordinal))), count => count >= 2);
        Assert.Contains(
            emitted.Lines, line =>
                line.StartsWith("span Smtp2GoIngest store webhook", StringComparison.Ordinal)
                && line.Contains(trace, StringComparison.Ordinal));
    }
}
