using Azure;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>Storage is down for a while, or its contents are gone: what cannot be made durable is refused, and the rest waits.</summary>
public sealed class OutageTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(StorageService.Queue, true)]
    [InlineData(StorageService.Queue, false)]
    [InlineData(StorageService.Blob, true)]
    [InlineData(StorageService.Blob, false)]
    public async Task What_storage_does_not_accept_in_time_gets_503_and_is_stored_once_when_it_is_back(StorageService service, bool hangs)
    {
        var account = azurite.NewAccount();
        var body = service == StorageService.Blob ? Scenario.All[Scenario.Spilled].Posts[0] : Scenario.All[Scenario.Single].Posts[0];
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var app = await IngestApp.StartAsync(
            proxy.ConnectionStringOf(account), new Dictionary<string, string?> { ["Webhook:EnqueueTimeout"] = "00:00:02" });
        app.Client.Timeout = IngestApp.Smtp2GoTimeout;
        proxy.SetAway(service, !hangs);
        proxy.Choose = request => hangs && request.Operation is "PutMessage" or "PutBlob" ? Fault.Delay(TimeSpan.FromMinutes(5)) : null;

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var refused = await app.PostAsync(body);
            Assert.Equal(503, (int)refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }));
        proxy.Choose = static _ => null;
        proxy.SetAway(service, false);

        await app.AcknowledgedAsync(body);
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, ["1"]);
    }

    [Fact]
    public async Task Sixty_failed_tries_poison_nothing()
    {
        const int Tries = 60;
        var account = azurite.NewAccount();
        await Scenario.All[Scenario.Batch].EnqueueAsync(account);
        var tries = 0;
        await using var app = await IngestApp.StartAsync(
            account, configure: services =>
            {
                StorageFault.InTables(
                    account,
                    _ => Interlocked.Increment(ref tries) <= Tries
                        ? new RequestFailedException(503, "away", "ServerBusy", null)
                        : null)(services);

                // As shipped, except for the delays.
                var shipped = QueueTriggerOptions.FromHostJson();
                shipped.VisibilityTimeout = TimeSpan.Zero;
                shipped.MaxPollingInterval = TimeSpan.FromMilliseconds(50);
                services.AddSingleton(shipped);
            });

        await app.DrainedAsync();

        Assert.InRange(tries, Tries + 1, int.MaxValue);
        Assert.False(await new QueueClient(account, WebhookQueue.PoisonName).ExistsAsync(Test.Token));
        await StoredState.AssertAsync(app, account, Scenario.All[Scenario.Batch].Events);
    }

    [Fact]
    public async Task A_spilled_body_whose_blob_is_gone_is_a_dead_letter_that_says_so()
    {
        var account = azurite.NewAccount();
        string blob;
        await using (var receiving = await IngestApp.StartAsync(account, pump: false))
        {
            await receiving.AcknowledgedAsync(Scenario.All[Scenario.Spilled].Posts[0]);
            await receiving.AcknowledgedAsync(Scenario.EventOf("2"));
            blob = (await receiving.Blobs.GetBlobsAsync(cancellationToken: Test.Token).SingleAsync()).Name;
            await receiving.Blobs.DeleteBlobAsync(blob, cancellationToken: Test.Token);
        }

        await using var app = await IngestApp.StartAsync(account);
        await app.DrainedAsync();

        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal((DeadLetterReason.BlobMissing, blob), (kept["Reason"], kept["BodyBlob"]));
        Assert.Contains("blob", kept.GetString("Error"), StringComparison.Ordinal);
        Assert.False(
            await app
                .Services.GetRequiredService<DeadLetters>()
                .ReplayAsync(kept, app.Services.GetRequiredService<WebhookQueue>(), Test.Token));
        await StoredState.AssertAsync(app, account, ["2"], DeadLetterReason.BlobMissing);
    }

    [Theory]
    [InlineData("the queue and the container")]
    [InlineData(EventStore.TableName)]
    [InlineData(EventIndex.ByDayTable)]
    [InlineData(EventIndex.ByRecipientTable)]
    [InlineData(DeadLetters.TableName)]
    public async Task What_is_deleted_while_the_app_runs_is_created_again(string deleted)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await PostAllKindsAsync(app, "before");
        await app.DrainedAsync();

        if (deleted.StartsWith("Smtp2Go", StringComparison.Ordinal))
        {
            await new TableClient(account, deleted).DeleteAsync(Test.Token);
        }
        else
        {
            await app.Queue.DeleteAsync(Test.Token);
            await app.Blobs.DeleteAsync(cancellationToken: Test.Token);
        }

        await PostAllKindsAsync(app, "after");
        await app.DrainedAsync();

        string[] all = ["after", "after large", "before", "before large"];
        Assert.Equal(
            deleted == EventStore.TableName ? all[..2] : all,
            (await app.EventsAsync()).Select(row => row.GetString("id")).Order(StringComparer.Ordinal));
        foreach (var index in new[] { EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            Assert.Equal(
                deleted == index ? all[..2] : all,
                (await IndexTests.RowsAsync(account, index)).Select(row => row.GetString("id")).Order(StringComparer.Ordinal));
        }

        Assert.Equal(deleted == DeadLetters.TableName ? 1 : 2, (await app.DeadLettersAsync()).Count);
    }

    private static async Task PostAllKindsAsync(IngestApp app, string id)
    {
        await app.AcknowledgedAsync(Scenario.EventOf(id));
        await app.AcknowledgedAsync($"{Scenario.EventOf(id + " large")}&message={new string('m', 50_000)}{id}");
        await app.AcknowledgedAsync($"other={id}");
    }
}
