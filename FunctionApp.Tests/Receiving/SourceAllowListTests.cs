using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.Receiving;

public sealed class SourceAllowListTests : IAsyncDisposable
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 5, 2, 12, 0, 0, TimeSpan.Zero));
    private SourceAllowList? list;
    private Func<IPAddress[]> dns = () => throw new SocketException();
    private int lookups;

    [Theory]
    [InlineData("", "192.0.2.1", SourceDecision.Allowed)]
    [InlineData("192.0.2.1", "192.0.2.1", SourceDecision.Allowed)]
    [InlineData("192.0.2.1", "192.0.2.2", SourceDecision.Denied)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", SourceDecision.Allowed)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", SourceDecision.Allowed)]
    [InlineData("::ffff:192.0.2.0/120", "192.0.2.77", SourceDecision.Allowed)]
    [InlineData("::ffff:192.0.2.0/120", "192.0.3.77", SourceDecision.Denied)]
    [InlineData("198.51.100.0/24", "198.51.100.255", SourceDecision.Allowed)]
    [InlineData("198.51.100.0/24", "198.51.101.0", SourceDecision.Denied)]
    [InlineData("198.51.100.7/24", "198.51.100.255", SourceDecision.Allowed)]
    [InlineData("198.51.100.128/25", "::ffff:198.51.100.127", SourceDecision.Denied)]
    [InlineData("0.0.0.0/0", "203.0.113.9", SourceDecision.Allowed)]
    [InlineData("0.0.0.0/0", "2001:db8::1", SourceDecision.Denied)]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", SourceDecision.Allowed)]
    [InlineData("2001:db8::/32", "2001:db9::1", SourceDecision.Denied)]
    [InlineData("2001:db8::1", "2001:0db8:0:0::0:1", SourceDecision.Allowed)]
    [InlineData("192.0.2.1, 198.51.100.0/24;2001:db8::/32", "198.51.100.7", SourceDecision.Allowed)]
    [InlineData("192.0.2.1", null, SourceDecision.Denied)]
    public async Task A_fixed_entry_decides_at_once(string entries, string? source, SourceDecision expected)
    {
        Start(entries);

        Assert.Equal(expected, await DecideAsync(source));
        Assert.Equal(0, lookups);
    }

    [Fact]
    public async Task A_fixed_entry_allows_even_while_a_name_does_not_resolve()
    {
        Start("webhooks.example,192.0.2.1");

        Assert.Equal(SourceDecision.Allowed, await DecideAsync("192.0.2.1"));
    }

    [Fact]
    public async Task A_name_allows_its_addresses_of_both_families()
    {
        dns = () => [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")];
        Start("webhooks.example");

        Assert.Equal(SourceDecision.Allowed, await DecideAsync("::ffff:192.0.2.1"));
        Assert.Equal(SourceDecision.Allowed, await DecideAsync("2001:db8::1"));
        Assert.Equal(SourceDecision.Denied, await DecideAsync("192.0.2.2"));
    }

    [Fact]
    public async Task Before_the_first_resolution_a_request_waits_two_seconds_and_no_longer()
    {
        Start("webhooks.example");
        await LookedUpAsync(1);

        var waiting = DecideAsync("192.0.2.1").AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        await Task.Delay(50, Test.Token);
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(SourceDecision.Undecided, await waiting);
    }

    [Fact]
    public async Task A_waiting_request_is_decided_when_the_name_resolves()
    {
        using var gate = new ManualResetEventSlim();
        dns = () =>
        {
            gate.Wait(TimeSpan.FromMinutes(1), Test.Token);
            return [IPAddress.Parse("192.0.2.1")];
        };
        Start("webhooks.example");

        var (right, wrong) = (DecideAsync("192.0.2.1").AsTask(), DecideAsync("192.0.2.2").AsTask());
        gate.Set();

        Assert.Equal(SourceDecision.Allowed, await right);
        Assert.Equal(SourceDecision.Denied, await wrong);
    }

    [Fact]
    public async Task What_a_name_gave_stays_allowed_for_a_day_while_the_record_rotates()
    {
        dns = () => [IPAddress.Parse("192.0.2.1")];
        Start("webhooks.example");
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.1");

        dns = () => [IPAddress.Parse("192.0.2.2")];
        await PassAsync(TimeSpan.FromMinutes(5));
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.2");
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.1");

        await PassAsync(TimeSpan.FromHours(24));
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.2");
        await DecidesAsync(SourceDecision.Denied, "192.0.2.1");
    }

    [Fact]
    public async Task What_a_name_gave_stays_allowed_for_a_day_while_DNS_fails_and_is_then_undecided()
    {
        dns = () => [IPAddress.Parse("192.0.2.1")];
        Start("webhooks.example");
        await DecidesAsync(SourceDecision.Denied, "192.0.2.9");

        dns = () => throw new SocketException();
        await PassAsync(TimeSpan.FromHours(23));
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.1");
        await DecidesAsync(SourceDecision.Denied, "192.0.2.9");

        await PassAsync(TimeSpan.FromHours(1));
        await DecidesAsync(SourceDecision.Undecided, "192.0.2.1");

        dns = () => [IPAddress.Parse("192.0.2.1")];
        await PassAsync(TimeSpan.FromMinutes(5));
        await DecidesAsync(SourceDecision.Allowed, "192.0.2.1");
    }

    [Theory]
    [InlineData("webhooks.smtp2go.com, 192.0.2.1;198.51.100.0/24 2001:db8::/32", "")]
    [InlineData("192.0.2.0/33", "192.0.2.0/33")]
    [InlineData("10, 192.0.2, 300.1.1.1", "10|192.0.2|300.1.1.1")]
    [InlineData("https://webhooks.smtp2go.com, a b!", "https://webhooks.smtp2go.com|b!")]
    public void An_invalid_entry_is_named(string entries, string expected) =>
        Assert.Equal(expected, string.Join('|', SourceEntries.Parse(entries).Invalid));

    public async ValueTask DisposeAsync()
    {
        if (list is not null)
        {
            await list.StopAsync(Test.Token);
            list.Dispose();
        }
    }

    private void Start(string entries)
    {
        list = new SourceAllowList(
            Options.Create(new WebhookOptions { AllowedSources = entries }),
            (_, _) => Task.Run(() =>
            {
                Interlocked.Increment(ref lookups);
                return dns();
            }),
            time,
            NullLogger<SourceAllowList>.Instance);
        _ = list.StartAsync(Test.Token);
    }

    private ValueTask<SourceDecision> DecideAsync(string? source) =>
        list!.DecideAsync(source is null ? null : IPAddress.Parse(source), Test.Token);

    private async Task LookedUpAsync(int times)
    {
        await Eventually.Get(
            () =>
            {
                var count = Volatile.Read(ref lookups);
                if (count > 0 && count < times)
                {
                    time.Advance(TimeSpan.FromSeconds(10)); // The timer may have been set after the clock moved.
                }

                return Task.FromResult(count);
            },
            count => count >= times);
        await Task.Delay(50, Test.Token); // Gives it time to note what was found and to set the next timer.
    }

    /// <summary>Lets time pass, including a resolution.</summary>
    private async Task PassAsync(TimeSpan span)
    {
        await LookedUpAsync(1);
        var before = lookups;
        time.Advance(span);
        await LookedUpAsync(before + 1);
    }

    /// <summary>Decides as expected, at most a few resolutions later: a busy machine runs them late.</summary>
    private Task<SourceDecision> DecidesAsync(SourceDecision expected, string source) => Eventually.Get(
        async () =>
        {
            var decision = await DecideAsync(source);
            if (decision != expected)
            {
                time.Advance(TimeSpan.FromSeconds(10));
            }

            return decision;
        },
        decision => decision == expected);
}
