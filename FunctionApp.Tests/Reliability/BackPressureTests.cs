using System.Collections.Concurrent;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>More comes than storage takes: the answer is 503 in time, what waits is bounded, and nothing is left of it afterwards.</summary>
public sealed class BackPressureTests(AzuriteFixture azurite)
{
    private const int SmallBytes = 23 * 1024;
    private const int LargeBytes = 1000 * 1024;

    [Theory]
    [InlineData(SmallBytes, GroupCommit.MaxWaitingBytes)]
    [InlineData(LargeBytes, WebhookQueue.MaxSpilledBytes)]
    public async Task While_storage_hangs_what_waits_is_bounded_and_the_first_post_after_it_succeeds(int bytes, int most)
    {
        var account = azurite.NewAccount();
        var hangs = true;
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(
            account,
            new Dictionary<string, string?> { ["Webhook:EnqueueTimeout"] = "00:00:05" },
            services =>
            {
                emitted.AddTo(services);
                StorageWire.Between(account, async (request, send, cancellationToken) =>
                {
                    await Task.Delay(hangs && request.Method != HttpMethod.Get ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken);
                    return await send();
                })(services);
            });
        app.Client.Timeout = TimeSpan.FromMinutes(5);

        var answers = await Task.WhenAll(Enumerable.Range(0, (most / bytes) + 20).Select(i => PostAsync(app, $"{i}", bytes)));
        hangs = false;
        var after = await PostAsync(app, "after", bytes);

        Assert.All(answers, status => Assert.Equal(503, status));
        Assert.Equal(200, after);
        Assert.Contains(emitted.Lines, line => line.Contains(nameof(QueueOverloadedException), StringComparison.Ordinal));
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, ["after"]);
    }

    [Fact]
    public async Task While_the_queue_is_slow_each_post_is_answered_in_time_and_what_was_acknowledged_is_stored_once()
    {
        var account = azurite.NewAccount();
        var isSlow = true;
        await using var app = await IngestApp.StartAsync(
            account,
            new Dictionary<string, string?> { ["Webhook:EnqueueTimeout"] = "00:00:02" },
            StorageWire.Between(account, async (request, send, cancellationToken) =>
            {
                await Task.Delay(isSlow && request.Method == HttpMethod.Post ? TimeSpan.FromMilliseconds(500) : TimeSpan.Zero, cancellationToken);
                return await send();
            }));
        app.Client.Timeout = TimeSpan.FromMinutes(5);
        var acknowledged = new ConcurrentBag<string>();

        // At most two messages of two webhooks each half a second: the time-out passes before most are sent.
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i => await PostNotingAsync($"{i}")));
        var inTime = acknowledged.Count;
        isSlow = false;
        await Task.WhenAll(Enumerable.Range(100, 20).Select(async i => await PostNotingAsync($"{i}")));

        Assert.InRange(inTime, 1, 99);
        Assert.Equal(inTime + 20, acknowledged.Count);
        await app.DrainedAsync();
        var stored = (await app.EventsAsync()).Select(row => row.GetString("id")).ToList();
        Assert.Empty(acknowledged.Except(stored));
        await StoredState.AssertAsync(app, account, stored.Distinct());

        async Task PostNotingAsync(string id)
        {
            if (await PostAsync(app, id, SmallBytes) == 200)
            {
                acknowledged.Add(id);
            }
        }
    }

    private static async Task<int> PostAsync(IngestApp app, string id, int bytes)
    {
        using var answer = await app.PostAsync($"{Scenario.EventOf(id)}&message={new string('m', bytes - 200)}");
        Assert.Contains((int)answer.StatusCode, (int[])[200, 503]);
        Assert.Equal((int)answer.StatusCode == 503, answer.Headers.RetryAfter is not null);
        return (int)answer.StatusCode;
    }
}
