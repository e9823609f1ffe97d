using System.Net;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Lab.WorkerHost;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>The built worker, told to stop.</summary>
public sealed class WorkerStopTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Told_to_stop_it_finishes_the_calls_that_it_has_begun()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        const int Posts = 5;
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var host = await BuiltWorker.StartAsync(proxy.ConnectionStringOf(account));
        var sending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var storing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        proxy.Choose = request =>
        {
            (request.Service == StorageService.Table ? storing : sending).TrySetResult();
            return Fault.Until(release.Task);
        };

        var now = DateTimeOffset.UtcNow;
        var message = QueuesModelFactory.QueueMessage(
            "m", "r", Scenario.MessageOf(Scenario.Entry("w", Scenario.EventOf("stored"))), 1, now, now, DateTimeOffset.MaxValue);
        var storingCall = host.DeliverAsync("StoreEvents", message);
        var posts = Enumerable.Range(0, Posts).Select(i => PostAsync(host, Scenario.EventOf($"{i}"))).ToList();
        await Task.WhenAll(sending.Task, storing.Task).WaitAsync(Test.Patience, Test.Token);
        await host.Worker.TerminateAsync();
        await Eventually.Get(
            () => Task.FromResult(string.Join('\n', host.Log)), log => log.Contains("is shutting down", StringComparison.Ordinal));
        release.SetResult();

        Assert.Equal(0, await host.Worker.ExitedAsync());
        Assert.All(await Task.WhenAll(posts), status => Assert.Equal(HttpStatusCode.OK, status));
        await Task.WhenAny(storingCall); // Whether its answer still came does not matter.
        await using var next = await IngestApp.StartAsync(account);
        await next.DrainedAsync();
        await StoredState.AssertAsync(next, account, ["stored", .. Enumerable.Range(0, Posts).Select(i => $"{i}")]);
    }

    private static async Task<HttpStatusCode> PostAsync(FunctionsHost host, string body)
    {
        using var answer = await IngestApp.PostAsync(host.Client, System.Text.Encoding.UTF8.GetBytes(body));
        return answer.StatusCode;
    }
}
