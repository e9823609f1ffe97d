using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>Reading all of a span of time, over real pages. Without storage.</summary>
public sealed class ActivityReaderTests : IAsyncDisposable
{
    private const string Key = "api-00112233445566778899AABBCCDDEEFF";

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 9, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = Start.AddHours(1);

    private readonly Smtp2GoAccount account = new(Start);
    private Smtp2GoServer smtp2Go = null!;
    private ServiceProvider services = null!;

    private ActivityReader Reader => new(services.GetRequiredService<Smtp2GoIngest.Reconciling.Smtp2GoClient>());

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await smtp2Go.DisposeAsync();
    }

    /// <summary>Others stopped after the first page, because they looked for the token outside <c>data</c>, or after twenty.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1_000, 1)]
    [InlineData(1_001, 2)]
    [InlineData(25_500, 26)]
    public async Task Every_page_is_read(int events, int pages)
    {
        await StartAsync();
        Happen(events);

        var read = await Reader.ReadAsync(Start, End, Test.Token);

        Assert.Equal(events, read!.Count);
        Assert.Equal(pages, smtp2Go.Calls.Count);
    }

    /// <summary>Others asked from the newest event's second plus one on, or took events of one second for one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_of_one_second_are_all_read_and_no_event_is_in_two_spans(bool endIsInclusive)
    {
        await StartAsync();
        smtp2Go.Behaviour.EndIsInclusive = endIsInclusive;
        Happen(2_100, at: Start.AddMinutes(30), over: TimeSpan.Zero);

        var first = await Reader.ReadAsync(Start, Start.AddMinutes(30), Test.Token);
        var second = await Reader.ReadAsync(Start.AddMinutes(30), End, Test.Token);

        Assert.Equal((0, 2_100), (first!.Count, second!.Count));
    }

    [Fact]
    public async Task More_events_than_a_token_may_live_for_are_read_in_halves()
    {
        await StartAsync();
        Happen(31_000);

        var read = await Reader.ReadAsync(Start, End, Test.Token);

        Assert.Equal(31_000, read!.Count);
        Assert.Equal(1 + 16 + 16, smtp2Go.Calls.Count);
    }

    [Fact]
    public async Task What_becomes_searchable_between_two_pages_is_not_lost()
    {
        await StartAsync();
        var events = Happen(2_500);
        foreach (var (i, late) in events.Where((_, i) => i % 100 == 0).Index())
        {
            late.SearchableFrom = account.Now.AddSeconds(i);
        }

        smtp2Go.Behaviour.ShiftPages = true;
        smtp2Go.Behaviour.TimePerPage = TimeSpan.FromSeconds(5);

        var read = await Reader.ReadAsync(Start, End, Test.Token);

        Assert.NotNull(read);
        Assert.Equal(smtp2Go.Calls.Count > 3 ? 2_500 : -1, read.Count);
    }

    [Fact]
    public async Task An_order_that_changes_between_pages_loses_nothing()
    {
        await StartAsync(speed: 60);
        var events = Happen(2_500);
        smtp2Go.Behaviour.ReorderPages = true;

        var read = await Reader.ReadAsync(Start, End, Test.Token);

        Assert.Equal(events.Select(it => it.Date).Order(), read!.Select(e => e.Date!.Value).Order());
        Assert.Equal(2_500, read!.Select(e => e.EmailId).Distinct().Count());
    }

    [Fact]
    public async Task A_token_that_expires_while_SMTP2GO_refuses_more_calls_costs_a_read_and_no_event()
    {
        await StartAsync(speed: 60);
        Happen(2_500);
        smtp2Go.Behaviour.RetryAfter = false;

        // 60, 120, 240 s: longer than a token lives.
        var storm = Task.Run(async () =>
        {
            await Eventually.Get(() => Task.FromResult(smtp2Go.Calls.Count), count => count > 0);
            smtp2Go.Faults.Enqueue(ApiFault.TooManyCalls, 3);
        });
        var read = await Reader.ReadAsync(Start, End, Test.Token);
        await storm;

        Assert.Equal(2_500, read!.Count);
    }

    [Fact]
    public async Task There_are_never_more_than_sixty_calls_in_a_minute()
    {
        await StartAsync(speed: 60);
        Happen(29_000);
        smtp2Go.Faults.Randomly(seed: 5, share: 0.2, ApiFault.TooManyCalls, ApiFault.Unavailable, ApiFault.Drop);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(29_000, (await Reader.ReadAsync(Start, End, Test.Token))!.Count);
        }

        Assert.InRange(smtp2Go.Calls.Count, 61, int.MaxValue);
        Assert.InRange(ApiCall.MostInAMinute(smtp2Go.Calls), 1, 60);
    }

    // A try that takes a minute is over. So the clock is not much faster where the calls are counted.
    private async Task StartAsync(double speed = 10)
    {
        var waits = new ScaledTime(DateTimeOffset.UtcNow, speed);
        account.Keys.Add(new ApiKey(Key, "/activity/search"));
        smtp2Go = await Smtp2GoServer.StartAsync(account, waits, 0, Test.Token);
        services = new ServiceCollection()
            .AddSingleton<TimeProvider>(waits)
            .AddSmtp2GoIngest(new ConfigurationBuilder()
                .AddInMemoryCollection([new("Smtp2Go:ApiKey", Key), new("Smtp2Go:ApiUrl", smtp2Go.Url)])
                .Build())
            .BuildServiceProvider();
    }

    [Fact]
    public async Task A_quiet_month_takes_a_call_a_day_and_each_hour_gets_its_events()
    {
        await StartAsync(speed: 60);
        var days = TimeSpan.FromDays(31);
        Happen(700, over: days);
        Happen(14_000, at: Start.AddDays(20), over: TimeSpan.FromMinutes(90));
        Happen(3, at: Start.AddDays(24), over: TimeSpan.Zero);
        account.Now = Start.AddDays(40);
        var ahead = new ActivityAhead(Reader, Start, Start + days);
        var expected = account.Events.CountBy(it => Math.Floor((it.Date - Start).TotalHours)).ToDictionary();

        for (var hour = 0; hour < days.TotalHours; hour++)
        {
            var read = await ahead.ReadAsync(Start.AddHours(hour), Start.AddHours(hour + 1), Test.Token);

            Assert.Equal(expected.GetValueOrDefault(hour), read!.Count);
            Assert.All(read, e => Assert.Equal(hour, Math.Floor((e.Date!.Value - Start).TotalHours)));
        }

        Assert.InRange(smtp2Go.Calls.Count, 31, 75);
    }

    private Smtp2GoEvent[] Happen(int count, DateTimeOffset? at = null, TimeSpan? over = null)
    {
        var length = over ?? TimeSpan.FromHours(1);
        Smtp2GoEvent[] events = [.. Enumerable.Range(0, count).Select(i =>
        {
            var date = (at ?? Start).AddSeconds(Math.Floor(length.TotalSeconds * i / count));
            var email = new Smtp2GoEmail
            {
                EmailId = $"1wQ8Fc-{account.Events.Count + i:00000000000}-QTTA",
                Sender = "shop@example.com",
                Recipients = ["ada@example.org"],
                Username = "shop",
            };
            return new Smtp2GoEvent
            {
                Id = $"{i:x32}",
                Email = email,
                Kind = Smtp2GoEventKind.Delivered,
                Date = date,
                Recipient = "ada@example.org",
            };
        })];
        account.Add(events);
        account.Now = End.AddDays(5);
        return events;
    }
}
