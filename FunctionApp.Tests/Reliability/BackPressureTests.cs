using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>More arrives than storage accepts: the answer is 503 in time, what waits is bounded, and nothing is left over.</summary>
public sealed class BackPressureTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Past_the_limit_of_spilled_bodies_one_more_is_refused_at_once_and_room_comes_back()
    {
        var account = azurite.NewAccount();
        var hangs = true;
        await using var app = await IngestApp.StartAsync(
            account,
            configure: StorageWire.Between(
                account, async (request, send, cancellationToken) =>
                {
                    await Task.Delay(
                        hangs && request.Headers.Contains("x-ms-blob-type") ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken);
                    return await send();
                }));
        var queue = app.Services.GetRequiredService<WebhookQueue>();
        var body = new byte[1024 * 1024];
        using var cancel = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, WebhookQueue.MaxSpilledBytes / body.Length).Select(_ => EnqueueAsync(cancel.Token)).ToList();

        await Assert.ThrowsAsync<QueueOverloadedException>(() => EnqueueAsync(Test.Token).WaitAsync(Test.Patience, Test.Token));
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        await cancel.CancelAsync();
        await Task.WhenAll(waiting.Select(task => Assert.ThrowsAnyAsync<OperationCanceledException>(() => task)));
        hangs = false;

        await EnqueueAsync(Test.Token);
        await app.DrainedAsync();
        Assert.Equal("unparsable", Assert.Single(await app.DeadLettersAsync())["Reason"]);

        Task EnqueueAsync(CancellationToken cancellationToken) => queue.EnqueueAsync(body, null, DateTimeOffset.UtcNow, cancellationToken);
    }

    [Fact]
    public async Task A_message_carries_no_more_than_two_spilled_bodies()
    {
        var account = azurite.NewAccount();
        var released = new TaskCompletionSource();
        var blobs = 0;

        // Patient: on a busy machine, a write that is held could arrive twice.
        var wire = StorageWire.Between(
            account,
            async (request, send, cancellationToken) =>
            {
                await (request.Method == HttpMethod.Post ? released.Task.WaitAsync(cancellationToken) : Task.CompletedTask);
                var answer = await send();
                if (request.Headers.Contains("x-ms-blob-type") && answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref blobs);
                }

                return answer;
            },
            isPatient: true);
        await using var app = await IngestApp.StartAsync(account, pump: false, configure: wire);

        var posts = Enumerable
            .Range(0, 10)
            .Select(i => app.AcknowledgedAsync($"{Scenario.EventOf($"{i}")}&message={new string('m', 50_000)}"))
            .ToList();
        await Eventually.Get(() => Task.FromResult(blobs), count => count == posts.Count);
        released.SetResult();
        await Task.WhenAll(posts);

        var messages = (await app.Queue.ReceiveMessagesAsync(32, cancellationToken: Test.Token))
            .Value.Select(message => Envelope.Read(message.Body.ToString()).Entries.Count)
            .ToList();
        Assert.Equal(posts.Count, messages.Sum());
        Assert.Equal(2, messages.Max());
    }

    [Fact]
    public async Task While_the_queue_is_slow_each_post_is_answered_in_time_and_what_was_acknowledged_is_stored_once()
    {
        const int Posts = 200;
        var account = azurite.NewAccount();
        var isSlow = true;
        var wire = StorageWire.Between(account, async (request, send, cancellationToken) =>
        {
            await Task.Delay(isSlow && request.Method == HttpMethod.Post ? TimeSpan.FromSeconds(0.7) : TimeSpan.Zero, cancellationToken);
            return await send();
        });
        await using var app = await IngestApp.StartAsync(account, IngestApp.ShippedTimeout, wire);
        app.Client.Timeout = IngestApp.Smtp2GoTimeout;
        var acknowledged = new ConcurrentBag<string>();

        // Two webhooks per message: the time-out passes before most are sent.
        await Task.WhenAll(Enumerable.Range(0, Posts).Select(i => PostAsync($"{i}")));
        var inTime = acknowledged.Count;
        isSlow = false;
        await PostAsync("after");

        Assert.InRange(inTime, 1, Posts - 1);
        Assert.Contains("after", acknowledged);
        await app.DrainedAsync();
        var stored = (await app.EventsAsync()).Select(row => row.GetString("id")).ToList();
        Assert.Empty(acknowledged.Except(stored));
        await StoredState.AssertAsync(app, account, stored.Distinct());

        async Task PostAsync(string id)
        {
            using var answer = await app.PostAsync($"{Scenario.EventOf(id)}&message={new string('m', 23_000)}");
            Assert.Equal((int)answer.StatusCode == 503, answer.Headers.RetryAfter is not null);
            if ((int)answer.StatusCode == 200)
            {
                acknowledged.Add(id);
            }
            else
            {
                Assert.Equal(503, (int)answer.StatusCode);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Connections_to_the_queue_that_hang_hold_up_nobody_else(int hanging)
    {
        const int Posts = 60;
        var account = azurite.NewAccount();
        var (answered, answeredMeanwhile, postedMeanwhile, hung) = (0, 0, 0, 0);
        var posts = new List<Task>();
        await using var app = await IngestApp.StartAsync(
            account,
            IngestApp.ShippedTimeout,
            StorageWire.Between(
                account,
                async (request, send, cancellationToken) =>
                {
                    if (request.Method == HttpMethod.Post && Interlocked.Increment(ref hung) <= hanging)
                    {
                        try
                        {
                            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                        }
                        finally
                        {
                            Interlocked.CompareExchange(ref answeredMeanwhile, Volatile.Read(ref answered), 0);
                            Interlocked.CompareExchange(ref postedMeanwhile, posts.Count, 0);
                        }
                    }

                    return await send();
                }),
            pump: false);
        await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);

        for (var i = 0; i < Posts; i++)
        {
            posts.Add(PostAsync($"event=open&id={i}"));
            await Task.Delay(TimeSpan.FromMilliseconds(50), Test.Token);
        }

        await Task.WhenAll(posts);
        Assert.Equal(Posts, answered);
        Assert.NotEqual(0, answeredMeanwhile);

        // A post comes every 50 ms or later: the first hung try was given up within a second and a half.
        Assert.InRange(postedMeanwhile, 1, 30);

        async Task PostAsync(string body)
        {
            await app.AcknowledgedAsync(body);
            Interlocked.Increment(ref answered);
        }
    }

    [Fact]
    public async Task The_app_waits_for_a_queue_that_is_slower_than_a_first_try_may_take()
    {
        var account = azurite.NewAccount();
        var slow = StorageWire.Between(account, async (request, send, cancellationToken) =>
        {
            await Task.Delay(request.Method == HttpMethod.Post ? TimeSpan.FromSeconds(1.5) : TimeSpan.Zero, cancellationToken);
            return await send();
        });
        await using var app = await IngestApp.StartAsync(account, IngestApp.ShippedTimeout, slow, pump: false);
        await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);

        await app.AcknowledgedAsync("event=open");
    }

    [Fact]
    public async Task The_app_waits_for_slow_blobs_even_if_the_body_is_already_there()
    {
        var account = azurite.NewAccount();
        var slow = StorageWire.Between(account, async (request, send, cancellationToken) =>
        {
            var answer = await send();
            var isBlob = request.RequestUri!.AbsolutePath.Contains("/smtp2go-webhooks/", StringComparison.Ordinal);
            await Task.Delay(isBlob && request.Method == HttpMethod.Put ? TimeSpan.FromSeconds(1.2) : TimeSpan.Zero, cancellationToken);
            return answer;
        });
        await using var app = await IngestApp.StartAsync(account, IngestApp.ShippedTimeout, slow, pump: false);
        await app.Blobs.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        var body = $"event=open&message={new string('m', 50_000)}";

        await app.AcknowledgedAsync(body);
        await app.AcknowledgedAsync(body);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_blob_whose_write_or_touch_hangs_is_written_or_touched_again_in_time(bool isTouch)
    {
        var account = azurite.NewAccount();
        var hung = 0;
        await using var app = await IngestApp.StartAsync(
            account,
            IngestApp.ShippedTimeout,
            StorageWire.Between(
                account,
                async (request, send, cancellationToken) =>
                {
                    var isIt = isTouch
                        ? request.RequestUri!.Query.Contains("comp=metadata", StringComparison.Ordinal)
                        : request.Headers.Contains("x-ms-blob-type");
                    var hangs = isIt && Interlocked.Exchange(ref hung, 1) == 0;
                    await Task.Delay(hangs ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken);
                    return await send();
                }),
            pump: false);
        var body = $"event=open&message={new string('m', 50_000)}";

        await app.AcknowledgedAsync(body);
        await app.AcknowledgedAsync(body);

        Assert.Equal(1, hung);
    }
}
