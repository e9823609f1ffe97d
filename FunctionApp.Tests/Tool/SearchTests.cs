using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What support asks: ranges of days, local time, find, bounces, and how much is shown.</summary>
[Collection(GeneratedEvents.Tests)]
public sealed class SearchTests(GeneratedEvents events)
{
    private static readonly TimeZoneInfo NewYork = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");
    private static readonly TimeZoneInfo Auckland = TimeZoneInfo.FindSystemTimeZoneById("Pacific/Auckland");

    [Theory]
    [InlineData("2026-05-20..2026-05-22", null)]
    [InlineData("3d", "bounce")]
    [InlineData("yesterday", "delivered")]
    [InlineData("2026-05", "spam")]
    public async Task Several_days_have_all_their_events(string days, string? eventName)
    {
        var run = await RunAsync(["day", days, "--json", .. (string[])(eventName is null ? [] : ["--event", eventName])]);

        var range = DayRange.Parse(days, DateOnly.FromDateTime(GeneratedEvents.Now.DateTime), out _)!;
        AssertSame(
            Of(eventName).Where(e => range.First <= DayOf(e, TimeZoneInfo.Utc) && DayOf(e, TimeZoneInfo.Utc) <= range.Last),
            run);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("delivered")]
    public async Task A_local_day_has_other_events_than_the_same_day_in_UTC(string? eventName)
    {
        string[] args = ["day", "2026-05-20", "--json", .. (string[])(eventName is null ? [] : ["--event", eventName])];
        var local = await RunInAsync(NewYork, args);
        var utc = await RunInAsync(NewYork, [.. args, "--utc"]);

        var day = new DateOnly(2026, 5, 20);
        AssertSame(Of(eventName).Where(e => DayOf(e, NewYork) == day), local);
        AssertSame(Of(eventName).Where(e => DayOf(e, TimeZoneInfo.Utc) == day), utc);
        Assert.NotEqual(local.Output, utc.Output);
    }

    [Fact]
    public async Task Today_is_local_and_times_are_shown_local_unless_UTC_is_asked_for()
    {
        // Noon in UTC is midnight in Auckland: there the first of June has begun.
        var local = await RunInAsync(Auckland, "day", "--event", "open");
        var utc = await RunInAsync(Auckland, "day", "--event", "open", "--utc");

        Assert.Contains("Time (local)", local.Output, StringComparison.Ordinal);
        Assert.Contains("\n2026-06-01 ", local.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\n2026-05-31 ", local.Output, StringComparison.Ordinal);
        Assert.Contains("Time (UTC)", utc.Output, StringComparison.Ordinal);
        Assert.Contains("\n2026-05-31 ", utc.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Since_a_day_is_since_it_began_here()
    {
        var run = await RunInAsync(Auckland, "recipient", "user5@example.org", "--since", "2026-05-21", "--json");

        AssertSame(
            Of(null).Where(e => e.Recipients.Contains("user5@example.org") && DayOf(e, Auckland) >= new DateOnly(2026, 5, 21)), run);
    }

    [Fact]
    public async Task An_email_is_found_by_a_part_of_its_subject_in_any_case()
    {
        var run = await RunAsync("find", "--subject", "PLEASE ignore", "--days", "2026-05-01..2026-05-10", "--limit", "1000", "--json");

        Assert.Equal(
            events.All.Where(e => e.IsTest && e.Time is { } t && t.Month == 5 && t.Day <= 10).Select(e => e.EmailId).Distinct().Order(),
            run.Json.Select(line => (string)line["email_id"]!).Order());
    }

    [Fact]
    public async Task Find_says_what_it_read_and_stops_at_its_limit()
    {
        var some = await RunAsync("find", "--subject", "ignore", "--days", "2026-05", "--limit", "3");
        var none = await RunAsync("find", "--sender", "nobody", "--days", "2026-05-20");

        Assert.Equal(0, some.ExitCode);
        Assert.Equal(4, some.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("first 3", some.Error, StringComparison.Ordinal);
        Assert.Equal(3, none.ExitCode);
        Assert.Equal(
            $"No emails found. Read {events.All.Count(e => e.Day == "2026-05-20"):N0} events of 2026-05-20.\n", none.Error);
    }

    [Fact]
    public async Task Bounces_are_counted_by_reason_domain_and_sender()
    {
        var run = await RunAsync("bounces", "--days", "2026-05", "--json");

        var truth = events.All.Where(e => e is { Name: "bounce", IsTest: false } && e.Time is { Month: 5 }).ToList();
        foreach (var by in new[] { "reason", "domain", "sender" })
        {
            var line = Assert.Single(run.Json, line => (string?)line["by"] == by);
            Assert.Equal(truth.Count(e => e.IsHardBounce), (int)line["hard"]!);
            Assert.Equal(truth.Count(e => !e.IsHardBounce), (int)line["soft"]!);
        }

        Assert.Contains(run.Json, line => (string?)line["name"] == "example.org");
    }

    [Fact]
    public async Task A_recipient_is_shown_email_by_email_with_the_verdict_at_the_end()
    {
        var run = await RunAsync("recipient", "  User Five <USER5@example.org> ", "--limit", "2", "--utc");

        var emails = Of(null).Where(e => e.Recipients.Contains("user5@example.org")).Select(e => e.EmailId).Distinct().Count();
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal($"… {emails - 2} earlier emails", lines[0]);
        Assert.Equal(2, lines.Count(line => line.StartsWith("Email ", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(line => line.StartsWith('→')));
        Assert.StartsWith("Mail to USER5@example.org ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Since_a_day_shows_fewer_emails_and_comes_to_the_same_verdict()
    {
        var all = (await RunAsync("recipient", "user5@example.org")).Output.Trim().Split('\n');
        var some = (await RunAsync("recipient", "user5@example.org", "--since", "1d")).Output.Trim().Split('\n');

        Assert.Equal(all[^1], some[^1]);
        Assert.InRange(some.Length, 5, all.Length / 2);
    }

    [Fact]
    public async Task Only_as_much_is_shown_as_was_asked_for()
    {
        var json = await RunAsync("day", "2026-05-20", "--limit", "3", "--json");
        var email = await RunAsync("email", GeneratedEvents.LongEmail, "--limit", "700");

        Assert.Equal(3, json.Json.Count);
        Assert.Contains("first 3", json.Error, StringComparison.Ordinal);
        Assert.Equal(700, email.Output.Split('\n').Count(line => line.Contains("shop.example.com", StringComparison.Ordinal)));
        Assert.Contains("… and 600 more events", email.Output, StringComparison.Ordinal);
    }

    private Task<ToolRun> RunAsync(params string[] args) => RunInAsync(TimeZoneInfo.Utc, args);

    private Task<ToolRun> RunInAsync(TimeZoneInfo zone, params string[] args) => ToolRun.RunAsync(
        ["--connection", events.ConnectionString, .. args], GeneratedEvents.Now, AppContext.BaseDirectory, zone: zone);

    // Those that have a time.
    private IEnumerable<GeneratedEvents.Event> Of(string? eventName) =>
        events.All.Where(e => e.Time is not null && (eventName is null || e.Name == eventName));

    private static DateOnly DayOf(GeneratedEvents.Event e, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(e.Time!.Value, zone).DateTime);

    private static void AssertSame(IEnumerable<GeneratedEvents.Event> expected, ToolRun run)
    {
        var truth = expected.Select(e => e.Id).Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(truth);
        Assert.Equal(truth, run.Json.Select(row => (string?)row["id"]).Order(StringComparer.Ordinal));
    }
}
