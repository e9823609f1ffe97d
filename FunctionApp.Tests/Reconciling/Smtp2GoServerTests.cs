using System.Net;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>SMTP2GO's API as the tests have it: what tests of reconciling rely on.</summary>
public sealed class Smtp2GoServerTests
{
    private static readonly string[] TwoKinds = ["opened", "soft-bounced"];

    [Fact]
    public async Task Pages_together_have_every_event_once_and_each_has_another_token()
    {
        var events = Traffic.Day(1, 300, Smtp2GoClient.Day);
        await using var smtp2go = await Smtp2GoClient.StartAsync(events);
        smtp2go.Account.Now = Smtp2GoClient.Day.AddDays(3);

        var pages = await PagesAsync(smtp2go, limit: 100);

        Assert.InRange(pages.Count, 7, 11);
        Assert.All(pages, page => Assert.Equal(events.Count, page.Total));
        Assert.Equal(
            events.Select(Named).Order(StringComparer.Ordinal),
            pages.SelectMany(page => page.Events).Select(Named).Order(StringComparer.Ordinal));
        Assert.Distinct(pages.Select(page => page.Token));
    }

    [Fact]
    public async Task Events_are_in_no_order_of_time_and_in_another_one_in_the_next_search()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Traffic.Day(1, 100, Smtp2GoClient.Day));

        var first = (await smtp2go.SearchDayAsync()).Events.Select(Named).ToList();
        var second = (await smtp2go.SearchDayAsync()).Events.Select(Named).ToList();

        Assert.NotEqual(first.Order(StringComparer.Ordinal), first);
        Assert.NotEqual(first, second);
        Assert.Equal(first.Order(StringComparer.Ordinal), second.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("2026-05-04T00:00:10Z", "2026-05-04T00:00:20Z")]
    [InlineData("2026-05-04 00:00:10", "2026-05-04 00:00:20")]
    [InlineData("2026-05-04T00:00:10", "2026-05-04T00:00:20.000")]
    [InlineData("2026-05-04T02:00:10+02:00", "2026-05-03T22:00:20-02:00")]
    [InlineData("2026-05-04T00:00:09.5Z", "2026-05-04T00:00:19.5Z")]
    public async Task The_start_is_inclusive_and_the_end_is_not(string from, string until)
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(
            Smtp2GoClient.Open(1, 9), Smtp2GoClient.Open(2, 10), Smtp2GoClient.Open(3, 19), Smtp2GoClient.Open(4, 20));

        var answer = await smtp2go.SearchAsync(new { start_date = from, end_date = until });

        Assert.Equal(
            ["2026-05-04T00:00:10Z", "2026-05-04T00:00:19Z"],
            answer.Events.Select(it => (string?)it["date"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_dates_only_the_events_of_today_are_found()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1, -1), Smtp2GoClient.Open(2, 86_400));
        smtp2go.Account.Now = Smtp2GoClient.Day.AddDays(1).AddHours(2);

        var answer = await smtp2go.SearchAsync(new { });

        Assert.Equal("2026-05-05T00:00:00Z", (string?)Assert.Single(answer.Events)["date"]);
    }

    [Fact]
    public async Task An_event_can_be_searched_two_minutes_after_it_happened()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1, 86_400));

        smtp2go.Account.Now = Smtp2GoClient.Day.AddDays(1).AddSeconds(119);
        var before = await smtp2go.SearchAsync(new { end_date = "2026-05-06" });
        smtp2go.Account.Now = Smtp2GoClient.Day.AddDays(1).AddSeconds(120);
        var after = await smtp2go.SearchAsync(new { end_date = "2026-05-06" });

        Assert.Equal((0, 1), (before.Total, after.Total));
    }

    [Fact]
    public async Task Filters_leave_events_out_and_the_total_follows()
    {
        var events = Traffic.Day(2, 300, Smtp2GoClient.Day);
        await using var smtp2go = await Smtp2GoClient.StartAsync(events);
        smtp2go.Account.Now = Smtp2GoClient.Day.AddDays(3);
        var one = events.First(it => it.Kind == Smtp2GoEventKind.Clicked);

        var kinds = await smtp2go.SearchAsync(
            new { start_date = "2026-05-04", end_date = "2026-05-05", event_types = TwoKinds, limit = 1 });
        var email = await smtp2go.SearchAsync(
            new { start_date = "2026-05-04", end_date = "2026-05-05", search_email_id = one.Email.EmailId });
        var recipient = await smtp2go.SearchAsync(
            new { start_date = "2026-05-04", end_date = "2026-05-05", search_recipient = one.Recipient!.ToUpperInvariant(), limit = 1000 });

        Assert.Single(kinds.Events);
        Assert.Equal(events.Count(it => it.Kind is Smtp2GoEventKind.Opened or Smtp2GoEventKind.SoftBounced), kinds.Total);
        Assert.Equal(events.Count(it => it.Email.EmailId == one.Email.EmailId), email.Total);
        Assert.Contains(recipient.Events, it => Named(it) == Named(one));
        Assert.All(recipient.Events, it => Assert.Contains(
            one.Recipient, it["recipients"]!.AsArray().Select(address => (string)address!), StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_processed_email_is_listed_once_or_once_for_each_recipient()
    {
        var email = Smtp2GoClient.Open(1).Email with { Recipients = ["ann@example.com", "bo@example.com"] };
        await using var smtp2go = await Smtp2GoClient.StartAsync(new Smtp2GoEvent
        {
            Id = "p",
            Email = email,
            Kind = Smtp2GoEventKind.Processed,
            Date = Smtp2GoClient.Day,
        });

        var once = await smtp2go.SearchDayAsync();
        smtp2go.Server.Behaviour.ProcessedPerRecipient = true;
        var each = await smtp2go.SearchDayAsync();

        Assert.Equal(1, once.Total);
        Assert.Equal(2, each.Total);
        Assert.Equal(email.Recipients, each.Events.Select(it => (string)it["recipient"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_field_that_has_nothing_to_say_is_left_out()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1));

        var it = Assert.Single((await smtp2go.SearchDayAsync()).Events).AsObject();

        Assert.False(it.ContainsKey("smtp_response"));
        Assert.False(it.ContainsKey("host"));
        Assert.False(it.ContainsKey("id"));
    }

    [Fact]
    public async Task A_token_lives_for_300_seconds()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync([.. Enumerable.Range(1, 3).Select(i => Smtp2GoClient.Open(i))]);
        var first = await smtp2go.SearchDayAsync(limit: 1);

        smtp2go.Clock.Advance(TimeSpan.FromSeconds(299));
        var inTime = await smtp2go.SearchDayAsync(limit: 1, first.Token);
        smtp2go.Clock.Advance(TimeSpan.FromSeconds(1));
        var late = await smtp2go.SearchDayAsync(limit: 1, first.Token);
        var next = await smtp2go.SearchDayAsync(limit: 1, inTime.Token);

        Assert.Equal(HttpStatusCode.OK, inTime.Status);
        Assert.Equal(HttpStatusCode.BadRequest, late.Status);
        Assert.Equal(HttpStatusCode.OK, next.Status);
    }

    [Fact]
    public async Task A_token_is_good_for_its_own_request_only()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync([.. Enumerable.Range(1, 3).Select(i => Smtp2GoClient.Open(i))]);
        var first = await smtp2go.SearchDayAsync(limit: 1);

        var again = await smtp2go.SearchDayAsync(limit: 1, first.Token);
        var same = await smtp2go.SearchDayAsync(limit: 1, first.Token);
        var other = await smtp2go.SearchDayAsync(limit: 2, first.Token);

        Assert.Equal(again.Lines, same.Lines);
        Assert.Equal(HttpStatusCode.BadRequest, other.Status);
    }

    [Fact]
    public async Task What_becomes_searchable_between_pages_shifts_them()
    {
        var late = Enumerable.Range(100, 100).Select(i => Smtp2GoClient.Open(i)).ToList();
        late.ForEach(it => it.SearchableFrom = Smtp2GoClient.Day.AddDays(1).AddMinutes(1));
        await using var smtp2go = await Smtp2GoClient.StartAsync([.. Enumerable.Range(0, 100).Select(i => Smtp2GoClient.Open(i)), .. late]);
        smtp2go.Server.Behaviour.ShiftPages = true;
        smtp2go.Server.Behaviour.TimePerPage = TimeSpan.FromMinutes(1);

        var pages = await PagesAsync(smtp2go, limit: 50);

        Assert.Equal([100, 200, 200, 200], pages.Select(page => page.Total));
        Assert.InRange(pages.SelectMany(page => page.Lines).Distinct().Count(), 101, 199);
    }

    [Fact]
    public async Task Without_a_shift_all_pages_are_those_of_the_first_ones_time()
    {
        var late = Smtp2GoClient.Open(1);
        late.SearchableFrom = Smtp2GoClient.Day.AddDays(1).AddMinutes(1);
        await using var smtp2go = await Smtp2GoClient.StartAsync([.. Enumerable.Range(2, 10).Select(i => Smtp2GoClient.Open(i)), late]);
        smtp2go.Server.Behaviour.TimePerPage = TimeSpan.FromMinutes(1);

        var pages = await PagesAsync(smtp2go, limit: 5);

        Assert.Equal([10, 10], pages.Select(page => page.Total));
        Assert.Equal(11, (await smtp2go.SearchDayAsync()).Total);
    }

    [Fact]
    public async Task Reordered_pages_have_one_event_twice_and_another_not_at_all_and_the_same_total()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync([.. Enumerable.Range(0, 30).Select(i => Smtp2GoClient.Open(i))]);
        smtp2go.Server.Behaviour.ReorderPages = true;

        var pages = await PagesAsync(smtp2go, limit: 10);

        Assert.All(pages, page => Assert.Equal(30, page.Total));
        Assert.Equal(30, pages.Sum(page => page.Events.Count));
        Assert.Equal(28, pages.SelectMany(page => page.Lines).Distinct().Count());
    }

    [Fact]
    public async Task The_last_page_has_no_token_or_an_empty_one()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1));

        var first = (await smtp2go.SearchDayAsync()).Data["continue_token"];
        var second = (await smtp2go.SearchDayAsync()).Data["continue_token"];

        Assert.Null(first);
        Assert.Equal(string.Empty, (string?)second);
    }

    private static async Task<List<Smtp2GoAnswer>> PagesAsync(Smtp2GoClient smtp2go, int limit)
    {
        List<Smtp2GoAnswer> pages = [await smtp2go.SearchDayAsync(limit)];
        while (pages[^1].Token is { } token)
        {
            pages.Add(await smtp2go.SearchDayAsync(limit, token));
        }

        return pages;
    }

    // With enough of it that no two events are mistaken for each other but those that look alike to everybody.
    private static string Named(JsonNode it) => $"{it["date"]} {it["event"]} {it["email_id"]} {it["recipient"]}";

    private static string Named(Smtp2GoEvent it) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{it.Date:yyyy-MM-dd'T'HH:mm:ss'Z'} {EventNames.OfActivity(it.Kind)} {it.Email.EmailId} {it.Recipient ?? it.Email.Recipients[0]}");
}
