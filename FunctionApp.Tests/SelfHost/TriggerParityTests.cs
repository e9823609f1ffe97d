using System.Net;
using System.Text;
using Azure.Storage.Queues;
using Microsoft.Azure.WebJobs.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;
using Smtp2GoIngest.Tests.Reliability;
using static Smtp2GoIngest.Tests.Reliability.Scenario;

namespace Smtp2GoIngest.Tests.SelfHost;

/// <summary>The pump does what the real queue trigger does. Every case runs on both.</summary>
public sealed class TriggerParityTests(AzuriteFixture azurite)
{
    private const string LargeBody = "event=open&id=1&email_id=e1&rcpt=a@x.example&message=ünlimited";

    // Each message is sent when the one before it is gone, so that the order of events is the same with both.
    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["one webhook"] = new([MessageOf(Entry("w1", EventOf("1")))], ["1"], []),
        ["several webhooks in one message"] = new(
            [MessageOf([.. Enumerable.Range(1, 5).Select(i => Entry($"w{i}", EventOf($"{i}")))])], ["1", "2", "3", "4", "5"], []),
        ["several recipients"] = new(
            [MessageOf(Entry("w1", "event=processed&id=1&email_id=e1&recipients=a@x.example,b@x.example&time=2026-05-02T11:20:31Z"))],
            ["1"],
            []),
        ["a duplicate"] = new(
            [
                MessageOf(Entry("w1", EventOf("1")), Entry("w2", EventOf("1"))),
                MessageOf(Entry("w3", EventOf("1") + "&sendtime=2026-05-02T11:59:59.9Z")),
            ],
            ["1"],
            []),
        ["a conflict"] = new(
            [
                MessageOf(Entry("w1", EventOf("1")), Entry("w2", EventOf("1") + "&message=other")),
                MessageOf(Entry("w3", EventOf("1") + "&message=third")),
            ],
            ["1"],
            ["conflict", "conflict"]),
        ["bodies that are not events"] = new(
            [MessageOf(Entry("w1", "not a body"), Entry("w2", "other=thing"), Entry("w3", EventOf("1")))],
            ["1"],
            ["no-event", "unparsable"]),
        ["an unreadable entry"] = new([MessageOf("""{"id":7}""", Entry("w1", EventOf("1")))], ["1"], ["unreadable"]),
        ["unreadable messages"] = new(
            [
                """ plain text, as it is: <&>"' + %41 \u00e9""",
                Convert.ToBase64String(Encoding.UTF8.GetBytes(MessageOf(Entry("w1", EventOf("1"))))),
                """{"v":2,"webhooks":[]}""",
                """{"$AzureWebJobsParentId":"3f2504e0-4f89-41d3-9a0c-0305e82c3301"}""",
                new string('x', 40_000),
            ],
            [],
            ["unreadable", "unreadable", "unreadable", "unreadable", "unreadable"]),
        ["a body in a blob"] = new([MessageOf(EntryOf("w1", BlobOf(LargeBody)))], ["1"], [], LargeBody),
        ["a missing blob"] = new([MessageOf(EntryOfBlob("w1"), Entry("w2", EventOf("1")))], ["1"], ["blob-missing"]),
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    [Fact]
    public async Task Both_use_the_shipped_numbers()
    {
        var queues = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "host.json")).Build()
            .GetSection("extensions:queues");
        await using var app = await StartAsync(Trigger.WebJobs, new() { ["maxPollingInterval"] = queues["maxPollingInterval"] });
        var trigger = app.Services.GetRequiredService<IOptions<QueuesOptions>>().Value;
        var pump = QueueTriggerOptions.FromHostJson();

        Assert.Equal(
            (16, 8, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5), WebhookQueue.MessageEncoding),
            (trigger.BatchSize, trigger.NewBatchThreshold, trigger.VisibilityTimeout, trigger.MaxPollingInterval, trigger.MessageEncoding));
        Assert.Equal(
            (pump.BatchSize, pump.NewBatchThreshold, pump.VisibilityTimeout, pump.MaxPollingInterval, pump.MaxDequeueCount),
            (trigger.BatchSize, trigger.NewBatchThreshold, trigger.VisibilityTimeout, trigger.MaxPollingInterval, trigger.MaxDequeueCount));

        // The trigger would silently ignore a name that it does not know.
        Assert.Superset(
            queues.GetChildren().Select(setting => setting.Key).ToHashSet(StringComparer.OrdinalIgnoreCase),
            typeof(QueuesOptions).GetProperties().Select(property => property.Name).ToHashSet(StringComparer.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(CaseNames))]
    public async Task Both_leave_the_same_rows(string name)
    {
        var messages = Cases[name];

        var stored = await Task.WhenAll(StoreAsync(Trigger.Pump), StoreAsync(Trigger.WebJobs));

        Assert.Equal(stored[1], stored[0]);

        async Task<string[]> StoreAsync(Trigger trigger)
        {
            await using var app = await StartAsync(trigger);
            if (messages.Blob is { } body)
            {
                await app.Services.GetRequiredService<WebhookBlobs>().WriteAsync(Encoding.UTF8.GetBytes(body), Test.Token);
            }

            foreach (var text in messages.Texts)
            {
                await app.Queue.SendMessageAsync(text, Test.Token);
                await app.DrainedAsync();
            }

            Assert.Equal(messages.Texts, app.Calls.Select(call => call.Text));
            Assert.All(app.Calls, call => Assert.Equal(1, call.Message.DequeueCount));
            await AssertStoredAsync(app, messages.Events, messages.DeadLetters);
            return await app.StoredAsync(messages.Texts);
        }
    }

    [Theory]
    [InlineData(Trigger.Pump)]
    [InlineData(Trigger.WebJobs)]
    public async Task A_message_that_failed_comes_again_after_the_retry_delay_and_not_at_once(Trigger trigger)
    {
        await using var app = await StartAsync(
            trigger,
            new() { ["visibilityTimeout"] = "00:00:02" },
            call => call.Message.DequeueCount < 3 ? throw new InvalidOperationException() : Task.CompletedTask);

        await app.Queue.SendMessageAsync(MessageOf(Entry("w1", EventOf("1"))), Test.Token);
        await app.DrainedAsync();

        Assert.Equal([1, 2, 3], app.Calls.Select(call => call.Message.DequeueCount));
        Assert.All(app.Calls.Zip(app.Calls.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At > TimeSpan.FromSeconds(1.9)));
        await AssertStoredAsync(app, ["1"], []);
    }

    [Fact]
    public async Task After_its_last_try_a_message_goes_to_poison_and_from_there_into_the_same_dead_letters()
    {
        var text = MessageOf(Entry("w1", EventOf("1")), Entry("w2", EventOf("2")));

        var stored = await Task.WhenAll(GiveUpAsync(Trigger.Pump), GiveUpAsync(Trigger.WebJobs));

        Assert.Equal(stored[1], stored[0]);

        async Task<string[]> GiveUpAsync(Trigger trigger)
        {
            var account = azurite.NewAccount();
            Dictionary<string, string?> queues = new() { ["visibilityTimeout"] = "00:00:01", ["maxDequeueCount"] = "3" };
            var withoutEvents = StorageWire.Between(
                account,
                async (request, send, _) =>
                    await StorageWire.IsInsertAsync(request) ? new HttpResponseMessage(HttpStatusCode.Forbidden) : await send(),
                isPatient: true);
            await using (var trying = await TriggeredApp.StartAsync(trigger, account, queues, keepPoison: false, configure: withoutEvents))
            {
                await trying.Queue.SendMessageAsync(text, Test.Token);
                await Eventually.Get(() => TriggeredApp.CountAsync(trying.Queue), count => count == 0);

                Assert.Equal([1, 2, 3], trying.Calls.Select(call => call.Message.DequeueCount));
                var poison = Assert.Single((await trying.Poison.PeekMessagesAsync(32, Test.Token)).Value);
                Assert.Equal(text, poison.Body.ToString());

                // The one difference: what the Functions host gives up on is gone after a week unless KeepPoison can store it.
                var expires = poison.ExpiresOn - poison.InsertedOn;
                Assert.True(trigger == Trigger.WebJobs ? expires == TimeSpan.FromDays(7) : expires > TimeSpan.FromDays(365_000));
            }

            await using var keeping = await TriggeredApp.StartAsync(trigger, account, queues, configure: withoutEvents);
            await keeping.DrainedAsync();

            Assert.All(keeping.Calls, call => Assert.Equal((WebhookQueue.PoisonName, text), (call.Queue, call.Text)));
            await AssertStoredAsync(keeping, [], ["poison", "poison"]);
            return await keeping.StoredAsync([text]);
        }
    }

    [Theory]
    [InlineData(Trigger.Pump)]
    [InlineData(Trigger.WebJobs)]
    public async Task A_message_that_was_fetched_more_often_than_allowed_is_given_up_without_another_try(Trigger trigger)
    {
        var account = azurite.NewAccount();
        var queue = new QueueClient(account, WebhookQueue.Name);
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("ends the process", Test.Token);
        for (var i = 0; i < 3; i++)
        {
            var taken = (await queue.ReceiveMessageAsync(TimeSpan.FromMinutes(1), Test.Token)).Value;
            await queue.UpdateMessageAsync(
                taken.MessageId, taken.PopReceipt, visibilityTimeout: TimeSpan.Zero, cancellationToken: Test.Token);
        }

        await using var app = await TriggeredApp.StartAsync(
            trigger, account, new Dictionary<string, string?> { ["maxDequeueCount"] = "3" }, keepPoison: false);
        await Eventually.Get(() => TriggeredApp.CountAsync(queue), count => count == 0);

        Assert.Empty(app.Calls);
        Assert.Equal("ends the process", Assert.Single((await app.Poison.PeekMessagesAsync(32, Test.Token)).Value).Body.ToString());
    }

    [Theory]
    [InlineData(Trigger.Pump)]
    [InlineData(Trigger.WebJobs)]
    public async Task No_more_messages_are_in_flight_than_a_batch_and_the_threshold_for_a_new_one(Trigger trigger)
    {
        const int Batch = 16;
        const int Threshold = 8;
        const int Messages = 2 * (Batch + Threshold);
        var account = azurite.NewAccount();
        var queue = new QueueClient(account, WebhookQueue.Name);
        await queue.CreateAsync(cancellationToken: Test.Token);
        await Task.WhenAll(Enumerable.Range(1, Messages).Select(i =>
            queue.SendMessageAsync(MessageOf(Entry($"w{i}", EventOf($"{i}"))), Test.Token)));
        using var gate = new SemaphoreSlim(0);
        var running = 0;
        var most = 0;
        await using var app = await TriggeredApp.StartAsync(trigger, account, before: async _ =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++running);
            }

            await gate.WaitAsync(Test.Token);
            lock (gate)
            {
                running--;
            }
        });

        await RunningAsync(Batch);
        gate.Release(Batch - Threshold);
        await RunningAsync(Batch + Threshold);
        gate.Release(Messages);
        await app.DrainedAsync();

        Assert.Equal(Batch + Threshold, most);
        Assert.Equal(Messages, app.Calls.Count);

        Task RunningAsync(int count) => Eventually.Get(() => Task.FromResult(Volatile.Read(ref running)), running => running == count);
    }

    [Theory]
    [InlineData(Trigger.Pump)]
    [InlineData(Trigger.WebJobs)]
    public async Task A_stop_finishes_what_has_begun(Trigger trigger)
    {
        var started = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        await using var app = await StartAsync(trigger, before: _ =>
        {
            started.SetResult();
            return gate.Task;
        });
        await app.Queue.SendMessageAsync(MessageOf(Entry("w1", EventOf("1"))), Test.Token);
        await started.Task.WaitAsync(Test.Patience, Test.Token);

        var stop = app.StopAsync();
        Assert.False(stop.IsCompleted);
        gate.SetResult();
        await stop;

        Assert.Equal(0, await TriggeredApp.CountAsync(app.Queue));
        await AssertStoredAsync(app, ["1"], []);
    }

    [Theory]
    [InlineData(Trigger.Pump, 60)]
    [InlineData(Trigger.WebJobs, 600)]
    public async Task The_lease_of_the_real_trigger_is_ten_times_as_long(Trigger trigger, int seconds)
    {
        await using var app = await StartAsync(trigger);

        await app.Queue.SendMessageAsync("one", Test.Token);
        await app.DrainedAsync();

        var call = Assert.Single(app.Calls);
        Assert.InRange((call.Message.NextVisibleOn!.Value - call.At).TotalSeconds, seconds - 30, seconds + 1);
    }

    /// <remarks>The real trigger leaves it hidden until its lease of ten minutes ends; the pump retries it after the retry delay.</remarks>
    [Theory]
    [InlineData(Trigger.Pump)]
    [InlineData(Trigger.WebJobs)]
    public async Task A_message_in_the_poison_queue_that_failed_is_never_given_up(Trigger trigger)
    {
        var tries = trigger == Trigger.Pump ? 3 : 1;
        await using var app = await StartAsync(
            trigger,
            new() { ["visibilityTimeout"] = "00:00:00", ["maxDequeueCount"] = "1" },
            _ => throw new InvalidOperationException());

        await app.Poison.SendMessageAsync("one", Test.Token);
        await Eventually.Get(() => Task.FromResult(app.Calls.Count), count => count >= tries);
        await app.StopAsync();

        Assert.Equal(1, await TriggeredApp.CountAsync(app.Poison));
        Assert.Equal(trigger == Trigger.Pump, (await app.Poison.PeekMessageAsync(Test.Token)).Value is not null);
    }

    private static async Task AssertStoredAsync(TriggeredApp app, string[] events, string[] deadLetters)
    {
        var rows = await IndexTests.RowsAsync(app.Account, EventStore.TableName);
        var letters = await IndexTests.RowsAsync(app.Account, DeadLetters.TableName);
        Assert.Equal(events, rows.Select(row => row.GetString("id")).Order(StringComparer.Ordinal));
        Assert.Equal(deadLetters, letters.Select(row => row.GetString("Reason")).Order(StringComparer.Ordinal));
        if (rows.Count > 0)
        {
            await IndexTests.AssertAgreeAsync(app.Account);
        }
    }

    private static string BlobOf(string body) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    private static string EntryOf(string id, string blob) =>
        Encoding.UTF8.GetString(Envelope.Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", null, blob))!);

    private Task<TriggeredApp> StartAsync(
        Trigger trigger, Dictionary<string, string?>? queues = null, Func<Call, Task>? before = null) =>
        TriggeredApp.StartAsync(trigger, azurite.NewAccount(), queues, before);

    private sealed record Case(string[] Texts, string[] Events, string[] DeadLetters, string? Blob = null);
}
