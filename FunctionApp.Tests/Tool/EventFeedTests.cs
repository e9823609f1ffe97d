using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>New events appear while somebody looks, each once.</summary>
public sealed class EventFeedTests(AzuriteFixture azurite)
{
    private readonly TableServiceClient service = new(azurite.NewAccount());
    private int stored;

    [Fact]
    public async Task What_is_stored_later_comes_to_the_top_once()
    {
        await StoreAsync("open", DateTimeOffset.UtcNow.AddSeconds(-5));
        var feed = FeedOf(new EventFilter());
        await feed.ReadMoreAsync(Test.Token);
        await feed.PollAsync(Test.Token);
        Assert.Equal(0, feed.Arrived);

        // A webhook that comes late is news all the same, as is SMTP2GO's test button.
        await StoreAsync("bounce", DateTimeOffset.UtcNow.AddHours(-5));
        await StoreAsync("click", DateTimeOffset.UtcNow);
        await StoreAsync("delivered", new DateTimeOffset(2019, 7, 1, 0, 0, 0, TimeSpan.Zero));
        await feed.PollAsync(Test.Token);
        Assert.Equal((3, 1), (feed.Arrived, feed.Shown.Count));

        feed.ShowArrived();
        await feed.PollAsync(Test.Token);
        await feed.ReadMoreAsync(Test.Token);

        Assert.Equal(0, feed.Arrived);
        Assert.Equal(["click", "bounce", "delivered", "open"], feed.Shown.Select(e => e.Name));
    }

    // Both wait for half a minute.
    [Fact]
    public Task What_is_stored_between_the_first_page_and_the_first_poll_is_not_lost() => Task.WhenAll(
        new EventFeedTests(azurite).StoreBetweenAsync(isTableThere: true),
        new EventFeedTests(azurite).StoreBetweenAsync(isTableThere: false));

    private async Task StoreBetweenAsync(bool isTableThere)
    {
        if (isTableThere)
        {
            await StoreAsync("open", DateTimeOffset.UtcNow);
        }

        var feed = FeedOf(new EventFilter());
        await feed.ReadMoreAsync(Test.Token);
        await StoreAsync("click", DateTimeOffset.UtcNow);

        // Longer than a poll looks back. It is the emulator's clock that counts.
        await Task.Delay(TimeSpan.FromSeconds(33), Test.Token);
        await feed.PollAsync(Test.Token);

        feed.ShowArrived();
        Assert.Equal("click", feed.Shown[0].Name);
    }

    [Fact]
    public async Task Of_very_many_that_come_at_once_the_newest_are_shown_and_the_others_counted()
    {
        var feed = FeedOf(new EventFilter());
        await feed.ReadMoreAsync(Test.Token);
        var now = DateTimeOffset.UtcNow;
        await StoreManyAsync("open", 1_500, i => now.AddSeconds(-i), now);
        await StoreAsync("unsubscribe", now.AddSeconds(1));

        await feed.PollAsync(Test.Token);
        await feed.PollAsync(Test.Token);

        Assert.Equal((EventFeed.MostAtOnce, 1_501 - EventFeed.MostAtOnce), (feed.Arrived, feed.LeftOut));
        feed.ShowArrived();
        Assert.Equal("unsubscribe", feed.Shown[0].Name);
        Assert.Equal(feed.Shown.OrderByDescending(e => e.Time), feed.Shown);

        await StoreAsync("click", DateTimeOffset.UtcNow);
        await feed.PollAsync(Test.Token);
        Assert.Equal(1, feed.Arrived);
    }

    [Fact]
    public async Task Rows_that_are_only_written_again_are_not_new()
    {
        var feed = FeedOf(new EventFilter());
        await feed.ReadMoreAsync(Test.Token);
        await StoreAsync("open", DateTimeOffset.UtcNow.AddHours(-5), received: DateTimeOffset.UtcNow.AddHours(-5));
        await StoreAsync("click", DateTimeOffset.UtcNow.AddHours(-5), received: DateTimeOffset.UtcNow.AddMinutes(-20));

        await feed.PollAsync(Test.Token);

        feed.ShowArrived();
        Assert.Equal("click", Assert.Single(feed.Shown).Name);
    }

    [Fact]
    public async Task Events_without_a_time_are_not_shown_and_the_end_says_so()
    {
        var without = FeedOf(new EventFilter());
        await without.ReadMoreAsync(Test.Token);
        Assert.Equal((true, false), (without.IsAtEnd, without.HasTimeless));

        await StoreAsync("open", DateTimeOffset.UtcNow);
        await StoreAsync("bounce", time: null);
        await without.PollAsync(Test.Token);
        Assert.Equal(1, without.Arrived);

        foreach (var (filter, has) in ((EventFilter, bool)[])[(new(), true), (new("bounce"), true), (new("open"), false)])
        {
            var feed = FeedOf(filter);
            await feed.ReadMoreAsync(Test.Token);
            Assert.Equal((true, has), (feed.IsAtEnd, feed.HasTimeless));
        }
    }

    [Fact]
    public async Task Only_what_the_filter_asks_for_comes()
    {
        var feed = FeedOf(new EventFilter("open", Domain: "example.org", Text: "hello"));
        await StoreAsync("open", DateTimeOffset.UtcNow);
        await StoreAsync("open", DateTimeOffset.UtcNow, "&subject=Hello+Ada");
        await StoreAsync("click", DateTimeOffset.UtcNow, "&subject=Hello+Ada");
        await feed.PollAsync(Test.Token);

        feed.ShowArrived();

        Assert.Equal("Hello Ada", Assert.Single(feed.Shown).Subject);
    }

    [Fact]
    public async Task It_keeps_a_bounded_number_of_events()
    {
        var now = DateTimeOffset.UtcNow;
        await StoreAsync("open", now);
        var table = service.GetTableClient(EventIndex.ByDayTable);
        var rows = Enumerable.Range(0, EventFeed.MaxShown + 100).Select(i => new TableEntity(
            $"{EventKeys.Day(now.AddDays(-4))}_open", $"{EventKeys.Time(now.AddDays(-4).AddMilliseconds(-i))}_email_{i:x16}")
        {
            ["event"] = "open",
        });
        foreach (var chunk in rows.GroupBy(row => row.PartitionKey).SelectMany(day => day.Chunk(100)))
        {
            await table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.UpsertReplace, row)), Test.Token);
        }

        var feed = FeedOf(new EventFilter());
        for (var i = 0; i < 100 && !feed.IsFull; i++)
        {
            await feed.ReadMoreAsync(Test.Token);
        }

        await StoreAsync("click", DateTimeOffset.UtcNow);
        await feed.PollAsync(Test.Token);
        feed.ShowArrived();

        Assert.Equal(EventFeed.MaxShown, feed.Shown.Count);
        Assert.Equal("click", feed.Shown[0].Name);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-3, true)]
    [InlineData(-5, false)]
    public void Days_that_are_long_over_are_not_watched(int day, bool isLive)
    {
        var asked = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(day);

        Assert.Equal(isLive, FeedOf(new EventFilter(Days: new DayRange(asked, asked))).IsLive);
    }

    private EventFeed FeedOf(EventFilter filter) => new(service, filter, TimeProvider.System);

    private async Task StoreAsync(string name, DateTimeOffset? time, string more = "", DateTimeOffset? received = null) =>
        await (await TableAsync()).AddEntityAsync(RowOf(name, time, received, more), Test.Token);

    private async Task StoreManyAsync(string name, int count, Func<int, DateTimeOffset> timeOf, DateTimeOffset received)
    {
        var table = await TableAsync();
        var rows = Enumerable.Range(0, count).Select(i => RowOf(name, timeOf(i), received, string.Empty));
        foreach (var chunk in rows.GroupBy(row => row.PartitionKey).SelectMany(day => day.Chunk(100)))
        {
            await table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), Test.Token);
        }
    }

    private async Task<TableClient> TableAsync()
    {
        var table = service.GetTableClient(EventIndex.ByDayTable);
        await table.CreateIfNotExistsAsync(Test.Token);
        return table;
    }

    private TableEntity RowOf(string name, DateTimeOffset? time, DateTimeOffset? received, string more)
    {
        var at = time is null ? string.Empty : $"&time={Uri.EscapeDataString(EventKeys.Time(time))}";
        var body = $"event={name}&email_id=email{stored}&id={stored++:x32}&rcpt=ada@example.org{at}{more}";
        Assert.True(EmailEvent.TryParse(BinaryData.FromString(body), out var e, out _));
        var webhook = new ReceivedWebhook(
            $"{stored:x32}", received ?? DateTimeOffset.UtcNow, "application/x-www-form-urlencoded", body, null);
        return EventIndex.ByDay(e, EventColumns.ToRow(e, webhook));
    }
}
