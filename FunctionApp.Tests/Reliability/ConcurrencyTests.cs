using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>Two processes have the same message.</summary>
public sealed class ConcurrencyTests(AzuriteFixture azurite)
{
    public static TheoryData<string> Messages => [Scenario.Batch, Scenario.Mixed, Scenario.Unreadable];

    [Theory]
    [MemberData(nameof(Messages))]
    public async Task A_message_that_two_store_at_once_is_stored_once(string name)
    {
        var account = azurite.NewAccount();
        var scenario = Scenario.All[name] with { IsFirst = false };
        await scenario.EnqueueAsync(account);

        // Neither continues after its first write until the other gets there.
        var arrived = 0;
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var one = await IngestApp.StartAsync(account, configure: StorageWire.Between(account, FirstWriteWaits()), pump: false);
        await using var other = await IngestApp.StartAsync(
            account, configure: StorageWire.Between(account, FirstWriteWaits()), pump: false);
        var queue = new QueueClient(account, WebhookQueue.Name);
        QueueMessage message = await queue.ReceiveMessageAsync(TimeSpan.FromHours(1), Test.Token);
        await Task.WhenAll(
            new[] { one, other }.Select(app => app.Services.GetRequiredService<WebhookProcessor>().StoreAsync(message, Test.Token)));
        await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);

        Assert.True(both.Task.IsCompletedSuccessfully);
        await StoredState.AssertAsync(one, account, scenario.Events, scenario.DeadLetters);

        Meet FirstWriteWaits()
        {
            var isFirst = 1;
            return async (request, send, cancellationToken) =>
            {
                if ((await StorageWire.IsInsertAsync(request) || scenario.Events.Length == 0) && Interlocked.Exchange(ref isFirst, 0) == 1)
                {
                    if (Interlocked.Increment(ref arrived) == 2)
                    {
                        both.SetResult();
                    }

                    await both.Task.WaitAsync(Test.Patience, cancellationToken);
                }

                return await send();
            };
        }
    }

    [Fact]
    public async Task An_app_so_slow_that_its_lease_runs_out_leaves_the_message_to_the_next()
    {
        var account = azurite.NewAccount();
        await Scenario.All[Scenario.Batch].EnqueueAsync(account);
        var (slow, next) = (new Gate(), new Gate());

        IngestApp app;
        await using (var late = await StartAsync(account, slow, lease: TimeSpan.FromSeconds(1)))
        {
            await slow.Arrived.Task.WaitAsync(Test.Patience, Test.Token);
            app = await StartAsync(account, next, lease: TimeSpan.FromMinutes(1));
            await next.Arrived.Task.WaitAsync(Test.Patience, Test.Token);
            slow.Open.SetResult();
            await Eventually.Get(() => late.EventsAsync(), rows => rows.Count == 4);
            slow.Renewal.SetResult();
        }

        // The late one wrote its rows and ended. The message was no longer its own to delete.
        await using var _ = app;
        Assert.Equal(1, await app.WaitingAsync());
        next.Open.SetResult();
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, Scenario.All[Scenario.Batch].Events);
    }

    /// <summary>An app that waits at a gate before it stores, and whose lease is not renewed in that time.</summary>
    private static Task<IngestApp> StartAsync(
        string account, Gate gate, TimeSpan lease) => IngestApp.StartAsync(account, configure: services =>
    {
        StorageWire.Between(account, async (request, send, cancellationToken) =>
        {
            if (await StorageWire.IsInsertAsync(request))
            {
                gate.Arrived.TrySetResult();
                await gate.Open.Task.WaitAsync(Test.Patience, CancellationToken.None);
            }
            else if (request.Method == HttpMethod.Put && request.RequestUri!.AbsolutePath.Contains("/messages/", StringComparison.Ordinal))
            {
                await gate.Renewal.Task.WaitAsync(Test.Patience, CancellationToken.None);
            }

            return await send();
        })(services);
        IngestApp.UseLease(services, lease);
    });

    private sealed class Gate
    {
        public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Renewal { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
