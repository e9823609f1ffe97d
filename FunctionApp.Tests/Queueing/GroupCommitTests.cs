using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests.Queueing;

public sealed class GroupCommitTests : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();
    private readonly List<(string[] Entries, TaskCompletionSource Done)> sends = [];
    private readonly FakeTimeProvider time = new();
    private readonly GroupCommit groupCommit;

    public GroupCommitTests() => groupCommit = new GroupCommit(
        (batch, cancellationToken) =>
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (sends)
            {
                sends.Add(([.. batch.Select(Encoding.ASCII.GetString)], done));
            }

            return done.Task.WaitAsync(cancellationToken);
        },
        services.GetRequiredService<IngestMetrics>(),
        time);

    [Fact]
    public async Task A_lone_entry_is_sent_at_once_and_answered_when_it_is_sent()
    {
        var lone = Add("a");
        await SendsAsync(1);

        Assert.Equal(["a"], sends[0].Entries);
        Assert.False(lone.IsCompleted);
        sends[0].Done.SetResult();
        await lone;
    }

    [Fact]
    public void A_lone_entry_is_sent_by_its_own_request_in_its_own_context()
    {
        var context = new AsyncLocal<string> { Value = "the request's" };
        string? seen = null;
        var commit = new GroupCommit(
            (_, _) =>
            {
                seen = context.Value;
                return Task.CompletedTask;
            },
            services.GetRequiredService<IngestMetrics>(),
            time);

        Assert.True(commit.AddAsync("a"u8.ToArray(), room: 1, Test.Token).IsCompletedSuccessfully);
        Assert.Equal("the request's", seen);
    }

    [Fact]
    public async Task What_arrives_while_sends_are_under_way_shares_the_next_in_order()
    {
        var all = await BusyAsync();
        all.AddRange(Enumerable.Range(0, 20).Select(i => Add($"{i}")));
        Assert.Equal(GroupCommit.MaxSends, sends.Count);
        sends[0].Done.SetResult();
        await SendsAsync(GroupCommit.MaxSends + 1);

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), sends[^1].Entries);
        await FinishAsync(all);
    }

    [Fact]
    public async Task A_second_send_begins_during_a_large_one_only_when_as_many_wait()
    {
        var all = await OneLargeSendAsync();

        all.AddRange(Enumerable.Range(20, 19).Select(i => Add($"{i}")));
        Assert.Equal(GroupCommit.MaxSends + 1, sends.Count);
        all.Add(Add("39"));
        await SendsAsync(GroupCommit.MaxSends + 2);
        Assert.Equal(Enumerable.Range(20, 20).Select(i => $"{i}"), sends[GroupCommit.MaxSends + 1].Entries);
        await FinishAsync(all);
    }

    [Fact]
    public async Task While_a_send_hangs_a_new_entry_is_sent_by_itself()
    {
        var all = await OneLargeSendAsync();

        all.Add(Add("early"));
        Assert.Equal(GroupCommit.MaxSends + 1, sends.Count);
        time.Advance(GroupCommit.Slow);
        await SendsAsync(GroupCommit.MaxSends + 2);
        sends[^1].Done.SetResult();
        await all[^1];

        Assert.Equal(["early"], sends[^1].Entries);
        Assert.False(all[GroupCommit.MaxSends].IsCompleted);
        await FinishAsync(all);
    }

    [Fact]
    public async Task A_wait_of_less_than_a_millisecond_is_outside_the_lock()
    {
        var all = await BusyAsync();

        time.Advance(GroupCommit.Slow - TimeSpan.FromMicroseconds(1));
        all.Add(Add("late"));
        Assert.Equal(GroupCommit.MaxSends, sends.Count);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await SendsAsync(GroupCommit.MaxSends + 1);

        Assert.Equal(["late"], sends[^1].Entries);
        await FinishAsync(all);
    }

    [Fact]
    public async Task Sends_that_hang_hold_up_nobody_as_long_as_they_are_few()
    {
        var all = await BusyAsync();
        for (var hung = GroupCommit.MaxSends; hung < GroupCommit.MaxSendsWithSlow; hung++)
        {
            time.Advance(GroupCommit.Slow);
            all.Add(Add($"{hung}"));
            await SendsAsync(hung + 1);
            Assert.Equal([$"{hung}"], sends[^1].Entries);
        }

        time.Advance(GroupCommit.Slow);
        all.Add(Add("too many hang"));
        time.Advance(GroupCommit.Slow);
        Assert.Equal(GroupCommit.MaxSendsWithSlow, sends.Count);
        sends[0].Done.SetResult();
        await SendsAsync(GroupCommit.MaxSendsWithSlow + 1);
        Assert.Equal(["too many hang"], sends[^1].Entries);
        await FinishAsync(all);
    }

    [Fact]
    public async Task What_did_not_fit_into_a_message_that_hangs_is_sent_by_itself()
    {
        var all = await BusyAsync();
        all.AddRange(Enumerable.Range(0, 4).Select(i => Add(new string((char)('a' + i), 20 * 1024))));
        Succeed();
        await SendsAsync(GroupCommit.MaxSends + 1);

        for (var advance = 0; advance < 3; advance++)
        {
            time.Advance(GroupCommit.Slow);
        }

        await Eventually.Get(() => Task.FromResult(sends.Skip(GroupCommit.MaxSends).Sum(send => send.Entries.Length)), sent => sent == 4);
        await FinishAsync(all);
    }

    [Fact]
    public async Task An_entry_uses_as_much_of_a_message_as_it_counts_for()
    {
        var all = await BusyAsync();
        all.AddRange(
            Enumerable.Range(0, 10).Select(i => groupCommit.AddAsync("spilled"u8.ToArray(), Envelope.MaxWebhookBytes, Test.Token)));

        await FinishAsync(all);

        Assert.Equal([2, 2, 2, 2, 2], sends.Skip(GroupCommit.MaxSends).Select(send => send.Entries.Length));
    }

    [Fact]
    public async Task A_message_never_exceeds_its_limit()
    {
        var busy = await BusyAsync();
        var all = Enumerable.Range(0, 10).Select(i => Add(new string((char)('a' + i), 20 * 1024))).ToList();

        await FinishAsync(all);

        Assert.All(
            sends, send =>
                Assert.InRange(
                    Envelope.Wrap([.. send.Entries.Select(Encoding.ASCII.GetBytes)]).ToMemory().Length, 1, Envelope.MaxMessageBytes));
        Assert.Equal(10, sends.Skip(busy.Count).Sum(send => send.Entries.Length));
        Assert.Equal(2, sends[busy.Count].Entries.Length);
    }

    [Fact]
    public async Task A_failed_send_fails_only_its_own_entries()
    {
        var busy = await BusyAsync();
        var (failing, waiting) = (busy[0], new[] { Add("x"), Add("y") });
        sends[0].Done.SetException(new IOException());
        await SendsAsync(busy.Count + 1);
        sends[^1].Done.SetResult();

        await Assert.ThrowsAsync<IOException>(() => failing);
        await Task.WhenAll(waiting);
        Assert.All(busy.Skip(1), task => Assert.False(task.IsCompleted));
    }

    [Fact]
    public async Task A_cancelled_entry_leaves_no_hole()
    {
        var busy = await BusyAsync();
        using var cancel = new CancellationTokenSource();
        var (before, cancelled, after) = (Add("before"), Add("cancelled", cancel.Token), Add("after"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        sends[0].Done.SetResult();
        await SendsAsync(busy.Count + 1);
        sends[^1].Done.SetResult();

        Assert.Equal(["before", "after"], sends[^1].Entries);
        await Task.WhenAll(before, after);
    }

    [Fact]
    public async Task A_send_that_nobody_waits_for_any_more_makes_room_for_the_next()
    {
        using var cancel = new CancellationTokenSource();
        var all = new List<Task>();
        for (var i = 0; i < GroupCommit.MaxSends; i++)
        {
            all.Add(Add("hangs", cancel.Token));
            await SendsAsync(i + 1);
        }

        var next = Add("next");
        await cancel.CancelAsync();
        await Task.WhenAll(all.Select(task => Assert.ThrowsAnyAsync<OperationCanceledException>(() => task)));
        await SendsAsync(GroupCommit.MaxSends + 1);
        sends[^1].Done.SetResult();

        await next.WaitAsync(TimeSpan.FromSeconds(5), Test.Token);
        Assert.Equal(["next"], sends[^1].Entries);
    }

    [Fact]
    public async Task Past_the_limit_of_waiting_bytes_an_entry_is_refused_at_once_and_room_comes_back()
    {
        var busy = await BusyAsync();
        var size = 20 * 1024;
        using var cancel = new CancellationTokenSource();
        var waiting = Enumerable
            .Range(0, GroupCommit.MaxWaitingBytes / size)
            .Select(_ => Add(new string('a', size), cancel.Token))
            .ToList();

        await Assert.ThrowsAsync<QueueOverloadedException>(() => Add(new string('a', size)));
        await cancel.CancelAsync();
        await Task.WhenAll(waiting.Select(task => Assert.ThrowsAnyAsync<OperationCanceledException>(() => task)));

        Assert.False(Add(new string('a', size)).IsFaulted);
        Assert.Equal(GroupCommit.MaxSends, busy.Count);
    }

    public void Dispose() => services.Dispose();

    /// <summary>Keeps every sender busy.</summary>
    private async Task<List<Task>> BusyAsync()
    {
        List<Task> busy = [.. Enumerable.Range(0, GroupCommit.MaxSends).Select(i => Add($"busy{i}"))];
        await SendsAsync(GroupCommit.MaxSends);
        return busy;
    }

    /// <summary>Starts one send of twenty entries, and nothing else.</summary>
    private async Task<List<Task>> OneLargeSendAsync()
    {
        var all = await BusyAsync();
        all.AddRange(Enumerable.Range(0, 20).Select(i => Add($"{i}")));
        Succeed();
        await SendsAsync(GroupCommit.MaxSends + 1);
        await Task.WhenAll(all[..GroupCommit.MaxSends]);
        return all;
    }

    /// <summary>Lets sends succeed until nothing is waiting.</summary>
    private async Task FinishAsync(List<Task> all)
    {
        while (all.Exists(task => !task.IsCompleted))
        {
            Succeed();
            await Task.Delay(5, Test.Token);
        }
    }

    /// <summary>Lets those that have begun succeed. Others may begin meanwhile.</summary>
    private void Succeed()
    {
        TaskCompletionSource[] begun;
        lock (sends)
        {
            begun = [.. sends.Select(send => send.Done)];
        }

        Array.ForEach(begun, done => done.TrySetResult());
    }

    private Task Add(string entry) => Add(entry, Test.Token);

    private Task Add(string entry, CancellationToken cancellationToken) =>
        groupCommit.AddAsync(Encoding.ASCII.GetBytes(entry), entry.Length, cancellationToken);

    private Task<int> SendsAsync(int count) => Eventually.Get(
        () =>
        {
            lock (sends)
            {
                return Task.FromResult(sends.Count);
            }
        },
        n => n >= count);
}
