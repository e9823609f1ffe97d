using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests.SelfHost;

public sealed class QueuePumpTests(AzuriteFixture azurite)
{
    private readonly QueueTriggerOptions options = new()
    {
        BatchSize = 4,
        NewBatchThreshold = 2,
        MaxDequeueCount = 3,
        VisibilityTimeout = TimeSpan.FromSeconds(1),
        MaxPollingInterval = TimeSpan.FromMilliseconds(50),
        Lease = TimeSpan.FromSeconds(30),
    };

    private readonly List<QueueMessage> seen = [];
    private string account = string.Empty;

    [Fact]
    public async Task A_message_that_succeeds_is_deleted()
    {
        await using var pump = await StartAsync((_, _) => Task.CompletedTask);

        await pump.Queue.SendMessageAsync("one", Test.Token);

        await pump.EmptyAsync();
        Assert.Single(seen);
    }

    [Fact]
    public async Task A_message_that_fails_comes_again_after_the_retry_delay_until_it_succeeds()
    {
        var times = new List<DateTimeOffset>();
        await using var pump = await StartAsync((message, _) =>
        {
            times.Add(DateTimeOffset.UtcNow);
            return message.DequeueCount < 3 ? throw new InvalidOperationException() : Task.CompletedTask;
        });

        await pump.Queue.SendMessageAsync("one", Test.Token);

        await pump.EmptyAsync();
        Assert.Equal([1, 2, 3], seen.Select(message => message.DequeueCount));
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First > TimeSpan.FromMilliseconds(500)));
        Assert.Empty(await pump.PoisonAsync());
    }

    [Fact]
    public async Task After_the_last_try_a_message_goes_to_poison_as_it_is_and_never_expires()
    {
        await using var pump = await StartAsync(
            (message, _) =>
                message.Body.ToString().StartsWith("bad", StringComparison.Ordinal)
                    ? throw new InvalidOperationException()
                    : Task.CompletedTask);

        foreach (var text in new[] { "bad 1", "good", "bad 2" })
        {
            await pump.Queue.SendMessageAsync(text, Test.Token);
            await pump.EmptyAsync();
        }

        Assert.Equal(3, seen.Count(message => message.Body.ToString() == "bad 1"));
        var poison = await pump.PoisonAsync();
        Assert.Equal(["bad 1", "bad 2"], poison.Select(message => message.Body.ToString()).Order());
        Assert.All(poison, message => Assert.True(message.ExpiresOn > DateTimeOffset.UtcNow.AddYears(100)));
    }

    [Fact]
    public async Task A_message_in_a_queue_without_poison_is_tried_forever()
    {
        await using var pump = await StartAsync(
            (message, _) => message.DequeueCount < 5 ? throw new InvalidOperationException() : Task.CompletedTask, withPoison: false);

        await pump.Queue.SendMessageAsync("one", Test.Token);

        await pump.EmptyAsync();
        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task A_long_run_keeps_its_lease()
    {
        await using var pump = await StartAsync((_, token) => Task.Delay(TimeSpan.FromSeconds(5), token), lease: TimeSpan.FromSeconds(2));

        await pump.Queue.SendMessageAsync("one", Test.Token);

        await pump.EmptyAsync();
        Assert.Single(seen);
    }

    [Fact]
    public async Task A_run_whose_lease_is_lost_is_cancelled_and_settles_nothing()
    {
        var cancelled = new TaskCompletionSource();
        await using var pump = await StartAsync(
            async (message, token) =>
            {
                if (message.DequeueCount > 1)
                {
                    return;
                }

                await new QueueClient(account, "pumped").ClearMessagesAsync(CancellationToken.None);
                await using var _ = token.Register(cancelled.SetResult);
                await Task.Delay(Timeout.Infinite, token);
            },
            lease: TimeSpan.FromSeconds(2));

        await pump.Queue.SendMessageAsync("one", Test.Token);

        await cancelled.Task.WaitAsync(Test.Patience, Test.Token);
        Assert.Empty(await pump.PoisonAsync());
    }

    [Fact]
    public async Task A_message_that_somebody_else_has_taken_is_left_to_them()
    {
        var cancelled = new TaskCompletionSource();
        await using var pump = await StartAsync(
            async (message, token) =>
            {
                await new QueueClient(account, "pumped").UpdateMessageAsync(
                    message.MessageId, message.PopReceipt, visibilityTimeout: TimeSpan.FromHours(1), cancellationToken: token);
                await using var _ = token.Register(cancelled.SetResult);
                await Task.Delay(Timeout.Infinite, token);
            },
            lease: TimeSpan.FromSeconds(4));

        await pump.Queue.SendMessageAsync("one", Test.Token);

        // The first renewal, after half the lease, finds out. Nothing waits for the lease to run out.
        await cancelled.Task.WaitAsync(Test.Patience, Test.Token);
        await pump.DisposeAsync();
        Assert.Equal(1, await pump.CountAsync());
        Assert.Single(seen);
    }

    [Fact]
    public async Task No_more_run_at_once_than_the_trigger_would_run()
    {
        var running = 0;
        var most = 0;
        await using var pump = await StartAsync(async (_, token) =>
        {
            lock (options)
            {
                most = Math.Max(most, ++running);
            }

            await Task.Delay(200, token);
            lock (options)
            {
                running--;
            }
        });

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => pump.Queue.SendMessageAsync($"{i}", Test.Token)));

        await pump.EmptyAsync();
        Assert.Equal(20, seen.Count);
        Assert.InRange(most, 2, options.BatchSize + options.NewBatchThreshold);
    }

    [Fact]
    public async Task Stopping_finishes_what_has_begun()
    {
        var started = new TaskCompletionSource();
        var finished = false;
        var pump = await StartAsync(async (_, token) =>
        {
            started.SetResult();
            await Task.Delay(500, token);
            finished = true;
        });

        await pump.Queue.SendMessageAsync("one", Test.Token);
        await started.Task;
        await pump.DisposeAsync();

        Assert.True(finished);
        Assert.Equal(0, await pump.CountAsync());
    }

    [Fact]
    public async Task The_pump_waits_for_a_queue_that_does_not_exist_yet()
    {
        await using var pump = await StartAsync((_, _) => Task.CompletedTask);
        await pump.Queue.DeleteAsync(Test.Token);
        await Task.Delay(300, Test.Token);

        await pump.Queue.CreateAsync(cancellationToken: Test.Token);
        await pump.Queue.SendMessageAsync("one", Test.Token);

        await pump.EmptyAsync();
        Assert.Single(seen);
    }

    private async Task<RunningPump> StartAsync(
        Func<QueueMessage, CancellationToken, Task> function, TimeSpan? lease = null, bool withPoison = true)
    {
        options.Lease = lease ?? options.Lease;
        account = azurite.NewAccount();
        var queue = new QueueClient(account, "pumped");
        await queue.CreateAsync(cancellationToken: Test.Token);
        var poison = new QueueClient(account, "pumped-poison");
        var pump = new QueuePump(
            queue,
            withPoison ? poison : null,
            (message, token) =>
            {
                lock (seen)
                {
                    seen.Add(message);
                }

                return function(message, token);
            },
            options,
            TimeProvider.System,
            NullLogger.Instance);
        await pump.StartAsync(Test.Token);
        return new RunningPump(pump, queue, poison);
    }

    private sealed record RunningPump(QueuePump Pump, QueueClient Queue, QueueClient Poison) : IAsyncDisposable
    {
        public async Task<int> CountAsync() => (await Queue.GetPropertiesAsync(Test.Token)).Value.ApproximateMessagesCount;

        public async Task EmptyAsync() => await Eventually.Get(CountAsync, count => count == 0);

        public async Task<QueueMessage[]> PoisonAsync() =>
            await Poison.ExistsAsync(Test.Token)
                ? (await Poison.ReceiveMessagesAsync(32, cancellationToken: Test.Token)).Value
                : [];

        public async ValueTask DisposeAsync()
        {
            await Pump.StopAsync(Test.Token);
            Pump.Dispose();
        }
    }
}
