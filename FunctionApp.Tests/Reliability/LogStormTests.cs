using Azure;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>What fails a thousand times is logged a few times, with its cause.</summary>
public sealed class LogStormTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task A_storm_of_refused_posts_while_the_queue_is_down_is_a_few_lines_that_say_why()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var app = await IngestApp.StartAsync(proxy.ConnectionStringOf(account), configure: emitted.AddTo, pump: false);
        proxy.SetAway(StorageService.Queue, true);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            using var answer = await app.PostAsync(Scenario.EventOf($"{i}"));
            Assert.Equal(503, (int)answer.StatusCode);
        }));

        var lines = emitted.Lines.Where(line => line.StartsWith("log Error", StringComparison.Ordinal)
            || line.StartsWith("log Warning", StringComparison.Ordinal)).ToList();
        Assert.InRange(lines.Count, 1, 5);
        Assert.Contains(
            lines,
            line => line.StartsWith("log Error 100", StringComparison.Ordinal)
                && line.Contains("(not-durable)", StringComparison.Ordinal)
                && line.Contains("no answer", StringComparison.Ordinal)
                && line.Contains("EventStorage", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_queue_that_is_too_slow_is_logged_with_the_setting_to_check()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var app = await IngestApp.StartAsync(
            proxy.ConnectionStringOf(account),
            new Dictionary<string, string?> { ["Webhook:EnqueueTimeout"] = "00:00:01" },
            emitted.AddTo,
            pump: false);
        proxy.Choose = static _ => Fault.Delay(TimeSpan.FromMinutes(5));

        using var answer = await app.PostAsync(Scenario.EventOf("1"));

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Contains("Webhook__EnqueueTimeout", LinesOf(emitted, "log Error 100").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pump_says_once_a_minute_that_its_queue_is_down_and_once_that_it_is_back()
    {
        using var emitted = new Emitted();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(emitted));
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        var client = new QueueClientOptions { Retry = { MaxRetries = 0 } };
        var queue = new QueueClient(proxy.ConnectionStringOf(account), "pumped", client);
        await queue.CreateAsync(cancellationToken: Test.Token);
        var polls = 0;
        proxy.Choose = request =>
        {
            polls += request.Operation == "GetMessages" ? 1 : 0;
            return polls < 20 ? Fault.Error(500, "OperationTimedOut") : null;
        };
        var time = new FakeTimeProvider();
        using var pump = new QueuePump(
            queue,
            null,
            static (_, _) => Task.CompletedTask,
            new QueueTriggerOptions { MaxPollingInterval = TimeSpan.FromSeconds(2) },
            time,
            loggers.CreateLogger<QueuePump>());
        await pump.StartAsync(Test.Token);

        await Eventually.Get(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return Task.FromResult(LinesOf(emitted, "log Warning 405").Count());
            },
            count => count == 1);
        await pump.StopAsync(Test.Token);

        var away = LinesOf(emitted, "log Error 400").ToList();
        Assert.InRange(away.Count, 2, 8);
        Assert.All(away, line =>
        {
            Assert.Contains("Cannot read queue pumped: OperationTimedOut (500)", line, StringComparison.Ordinal);
            Assert.Contains("EventStorage", line, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_message_with_many_webhooks_that_fails_again_and_again_is_a_few_lines()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        await Scenario.All[Scenario.Batch].EnqueueAsync(account);
        var tries = 0;
        await using var app = await IngestApp.StartAsync(account, configure: services =>
        {
            emitted.AddTo(services);
            StorageFault.InTables(
                account,
                _ => Interlocked.Increment(ref tries) <= 60 ? new RequestFailedException(503, "away", "ServerBusy", null) : null)(services);
        });

        await app.DrainedAsync();

        Assert.Contains("ServerBusy (503)", Assert.Single(LinesOf(emitted, "log Warning 310")), StringComparison.Ordinal);
        Assert.Contains("ServerBusy (503)", Assert.Single(LinesOf(emitted, "log Warning 401")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_storm_of_dead_letters_is_one_line_for_each_reason()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: emitted.AddTo);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => app.AcknowledgedAsync($"number={i}")));

        await app.DrainedAsync();

        Assert.Equal(20, (await app.DeadLettersAsync()).Count);
        Assert.Contains($"({DeadLetterReason.NoEvent})", Assert.Single(LinesOf(emitted, "log Warning 300")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_without_an_answer_says_so()
    {
        Assert.Equal("no answer", StorageFailure.Describe(new RequestFailedException("Connection refused (192.0.2.1:443)")));
        Assert.Equal(
            "no answer",
            StorageFailure.Describe(new AggregateException("Retry failed after 4 tries.", new RequestFailedException("refused"))));
        Assert.Equal(
            "no answer",
            StorageFailure.Describe(new AggregateException("Retry failed after 4 tries.", new TaskCanceledException("too long"))));
        Assert.Equal("status 500", StorageFailure.Describe(new RequestFailedException(500, "broken")));
    }

    private static IEnumerable<string> LinesOf(Emitted emitted, string kind) =>
        emitted.Lines.Where(line => line.StartsWith(kind, StringComparison.Ordinal));
}
