using System.Net;
using System.Text;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>What the built worker exports when everything fails at once.</summary>
public sealed class WorkerTelemetryTests
{
    private const string Away =
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
        + "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a;";

    [Fact]
    public async Task No_failed_call_is_sampled_away_and_each_is_a_failure()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        const int Requests = 60;
        await using var collector = await TelemetryCollector.StartAsync();
        await using (var host = await BuiltWorker.StartAsync(
                Away, new Dictionary<string, string?> { ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = collector.ConnectionString }))
        {
            await Task.WhenAll(Enumerable.Range(0, Requests).Select(async i =>
            {
                using var answer = await IngestApp.PostAsync(host.Client, Encoding.UTF8.GetBytes($"event=open&id={i}"));
                Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            }));

            await host.Worker.TerminateAsync();
            await host.Worker.ExitedAsync();
        }

        // The host exports the request itself. The worker's part of it is a dependency.
        var calls = collector.ItemsOf("RemoteDependencyData").Where(item => (string?)item["resultCode"] == "503").ToList();
        Assert.Equal(Requests, calls.Count);
        Assert.All(calls, item => Assert.False((bool)item["success"]!));
    }
}
