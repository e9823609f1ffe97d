using Azure.Data.Tables;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>A number on a page leads to the events that it counts, whether they are read back or come while somebody looks.</summary>
public sealed class EventFilterTests(AzuriteFixture azurite)
{
    private const string Bot = "&user-agent=Mozilla%2F5.0+%28via+ggpht.com+GoogleImageProxy%29";

    private static readonly DateOnly Today = DateOnly.FromDateTime(DateTime.UtcNow);

    private static readonly string[] Bodies =
    [
        "event=bounce&email_id=hard-blank&bounce=hard&from=a%40shop.example&message=550+5.1.1+no+such+user",
        "event=bounce&email_id=hard-dash&bounce=Hard&from=Shop+%3Cb%40SHOP.example%3E&message=550-5.1.1+no+such+user",
        "event=bounce&email_id=hard-longer&bounce=hard&from=a%40shop.example.org&message=550+5.1.10+not+found",
        "event=bounce&email_id=soft&bounce=soft&from=a%40myshop.example&message=452+4.2.2+full",
        "event=bounce&email_id=unknown&from=a%40mail.shop.example&message=451+4.4.1+later",
        "event=open&email_id=person&from=a%40shop.example&user-agent=Mozilla%2F5.0+%28X11%29+Firefox%2F128.0",
        "event=open&email_id=machine" + Bot,
        "event=click&email_id=clicked&from=a%40shop.example",
        "event=delivered&email_id=sent&from=a%40shop.example&message=250+OK",
    ];

    private readonly TableServiceClient service = new(azurite.NewAccount());

    [Theory]
    [InlineData("bounce=hard", "hard-blank hard-dash hard-longer")]
    [InlineData("event=bounce&bounce=SOFT", "soft unknown")]
    [InlineData("event=open&bounce=hard", "")]
    [InlineData("machine=yes", "machine")]
    [InlineData("machine=no", "clicked person")]
    [InlineData("event=open&machine=no", "person")]
    [InlineData("text=550 5.1.1", "hard-blank hard-dash")]
    [InlineData("text=550-5.1.1", "hard-blank hard-dash")]
    [InlineData("text=550", "hard-blank hard-dash hard-longer")]
    [InlineData("text=no such", "hard-blank hard-dash")]
    [InlineData("sender=@shop.example", "clicked hard-blank hard-dash person sent")]
    [InlineData("sender=shop.example&event=bounce", "hard-blank hard-dash hard-longer soft unknown")]
    [InlineData("sender=@shop.example&bounce=hard&text=550 5.1.1", "hard-blank hard-dash")]
    public async Task It_finds_exactly_what_it_says(string url, string expected)
    {
        var filter = QueryOf(url).Filter;
        var feed = new EventFeed(service, filter, TimeProvider.System);
        await feed.ReadMoreAsync(Test.Token);
        await StoreAsync();

        await feed.PollAsync(Test.Token);
        feed.ShowArrived();
        var again = new EventFeed(service, filter, TimeProvider.System);
        await again.ReadMoreAsync(Test.Token);

        foreach (var shown in (List<StoredEvent>[])[feed.Shown, again.Shown])
        {
            Assert.Equal(expected, string.Join(' ', shown.Select(e => e.EmailId).Order(StringComparer.Ordinal)));
        }
    }

    [Theory]
    [InlineData("day=2026-05-02", "2026-05-02 2026-05-03")]
    [InlineData("until=2026-05-02", "2026-05-01 2026-05-02")]
    [InlineData("day=2026-05-02&until=2026-05-02", "2026-05-02")]
    [InlineData("day=2026-05-02&event=open", "2026-05-02 2026-05-03")]
    [InlineData("until=2026-05-02&event=open", "2026-05-01 2026-05-02")]
    public async Task One_day_alone_leaves_the_other_end_open(string url, string expected)
    {
        await StoreAsync([.. Enumerable.Range(1, 3).Select(day => $"event=open&email_id=2026-05-0{day}&time=2026-05-0{day}T08:00:00Z")]);
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 5, 3, 12, 0, 0, TimeSpan.Zero));
        var feed = new EventFeed(service, QueryOf(url).Filter, clock);

        await feed.ReadMoreAsync(Test.Token);

        Assert.True(feed.IsAtEnd);
        Assert.Equal(expected, string.Join(' ', feed.Shown.Select(e => e.EmailId).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("day=soon&event=open", "'soon' is not a day: write it like 2026-05-31.", "day")]
    [InlineData("day=2026-05-02&until=2026-02-30", "'2026-02-30' is not a day: write it like 2026-05-31.", "until")]
    [InlineData("day=2026-05-02&until=2026-05-01", "2026-05-02 is after 2026-05-01: choose a From day before the To day.", "day until")]
    [InlineData("bounce=big", "'big' is neither hard nor soft.", "bounce")]
    [InlineData("machine=perhaps", "'perhaps' is neither yes nor no.", "machine")]
    [InlineData("day=2026-05-02&until=2026-05-02&bounce=hard&machine=no", null, "")]
    public void What_cannot_be_read_is_said_in_words(string url, string? problem, string wrong)
    {
        var query = ActivityQuery.Of(ValuesOf(url), new DateOnly(2026, 5, 31));

        Assert.Equal((problem, wrong), (query.Problem, string.Join(' ', query.Wrong)));
    }

    private static ActivityQuery QueryOf(string url) => ActivityQuery.Of(ValuesOf(url), Today);

    private static Dictionary<string, string> ValuesOf(string url) =>
        url.Split('&').Select(it => it.Split('=', 2)).ToDictionary(it => it[0], it => it[1]);

    private Task StoreAsync() => StoreAsync(
        [.. Bodies.Select((body, i) => $"{body}&time={Uri.EscapeDataString(EventKeys.Time(DateTimeOffset.UtcNow.AddSeconds(-i)))}")]);

    private async Task StoreAsync(IReadOnlyList<string> bodies)
    {
        var table = service.GetTableClient(EventIndex.ByDayTable);
        await table.CreateIfNotExistsAsync(Test.Token);
        foreach (var (body, i) in bodies.Select((body, i) => ($"{body}&rcpt=ada%40example.org&id={i:x32}", i)))
        {
            Assert.True(EmailEvent.TryParse(BinaryData.FromString(body), out var e, out _));
            var webhook = new ReceivedWebhook($"{i:x32}", DateTimeOffset.UtcNow, "application/x-www-form-urlencoded", body, null);
            await table.AddEntityAsync(EventIndex.ByDay(e, EventColumns.ToRow(e, webhook)), Test.Token);
        }
    }
}
