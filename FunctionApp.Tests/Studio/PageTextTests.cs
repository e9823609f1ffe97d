using System.Globalization;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio.Pages;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>A page says what it does not show.</summary>
public sealed partial class PageTextTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Last = new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly string account = azurite.NewAccount();

    [Fact]
    public async Task A_recipient_whose_many_events_have_no_time_has_events()
    {
        await StoreAsync(1_100, i => (null, $"email{i:0000}"));

        var html = await ShownAsync<Recipient>("recipient?address=ada%40example.org");

        Assert.DoesNotContain("No events found", html, StringComparison.Ordinal);
        Assert.Contains("none\n                    of them has a time", html.Replace("\r", string.Empty, StringComparison.Ordinal),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recipient_with_very_many_events_says_how_far_back_it_was_read()
    {
        // One email began before all others that were read, and its last event is the newest.
        var oldest = NewestEmails.EventsPerPage - 1;
        await StoreAsync(1_100, i => (Last.AddMinutes(-i), i == oldest ? "email0000" : $"email{i:0000}"));
        await StoreAsync(1, _ => (null, "timeless"));
        var newest = new NewestEmails(new TableServiceClient(account), "ada@example.org", TimeProvider.System);
        await newest.ReadMoreAsync(Test.Token);

        var html = await ShownAsync<Recipient>("recipient?address=ada%40example.org");

        Assert.InRange(newest.LookedBackTo, Last.AddMinutes(-oldest - 1), Last.AddMinutes(-oldest));
        var back = html[html.IndexOf("This address has more than", StringComparison.Ordinal)..];
        Assert.Contains(newest.LookedBackTo.ToString("HH:mm:ss", CultureInfo.InvariantCulture), back, StringComparison.Ordinal);

        while (newest.HasMore)
        {
            await newest.ReadMoreAsync(Test.Token);
        }

        Assert.Equal((1_100, true), (newest.Count, newest.HasTimeless));
    }

    [Fact]
    public async Task Activity_says_which_filter_it_cannot_read_and_shows_nothing_for_it()
    {
        var html = await ShownAsync<Activity>("activity?day=2026-05-02&until=2026-05-01&event=open");

        Assert.Contains("2026-05-02 is after 2026-05-01", html, StringComparison.Ordinal);
        Assert.Contains(">event</span>", html, StringComparison.Ordinal);
        Assert.DoesNotContain(">day</span>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("No events", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_event_is_not_one_that_is_dated_in_the_future()
    {
        var now = DateTimeOffset.UtcNow;
        await StoreAsync(2_000, i => (now.AddDays(300).AddSeconds(i), "later"), EventIndex.ByDayTable);
        await StoreAsync(1, _ => (now.AddMinutes(-7), "last"), EventIndex.ByDayTable);

        var health = await ShownAsync<Health>("health");
        var figure = health[health.IndexOf("data-figure=\"last-event\"", StringComparison.Ordinal)..];
        Assert.Contains(
            now.AddMinutes(-7).ToString("HH:mm:ss", CultureInfo.InvariantCulture), figure[..600], StringComparison.Ordinal);
        Assert.Contains("data-note=\"future\"", await ShownAsync<Activity>("activity"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_shows_the_last_seven_audited_days_and_how_to_find_what_is_missing()
    {
        var now = DateTimeOffset.UtcNow;
        await StudioMail.StoreAuditsAsync(account, now);

        var panel = AuditsIn(await ShownAsync<Health>("health"));

        Assert.Equal(
            Enumerable.Range(5, 7).Select(ago => ago is 6 or 8 ? $"{Day(ago)} 12" : $"{Day(ago)} 0"),
            Rows().Matches(panel).Select(row => $"{row.Groups["day"]} {row.Groups["missing"]}"));
        Assert.Contains("bounce (hard) 12<", panel, StringComparison.Ordinal);
        Assert.Contains("bounce (soft) 12<", panel, StringComparison.Ordinal);
        Assert.Contains("processed 234,567<", panel, StringComparison.Ordinal);
        Assert.Contains("once for each recipient", panel, StringComparison.Ordinal);
        Assert.Contains($"<code>smtp2go-ingest reconcile {Day(8)} {Day(6)}</code>", panel, StringComparison.Ordinal);
        Assert.DoesNotContain("data-note=\"stopped\"", panel, StringComparison.Ordinal);

        string Day(int ago) => now.AddDays(-ago).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Health_says_that_audits_have_stopped()
    {
        await StudioMail.StoreAuditsAsync(account, DateTimeOffset.UtcNow.AddDays(-4));

        Assert.Contains("data-note=\"stopped\"", AuditsIn(await ShownAsync<Health>("health")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_says_how_to_turn_audits_on_and_shows_no_empty_table()
    {
        var panel = AuditsIn(await ShownAsync<Health>("health"));

        Assert.Contains("<code>Smtp2Go__ApiKey</code>", panel, StringComparison.Ordinal);
        Assert.DoesNotContain("<table", panel, StringComparison.Ordinal);
        Assert.DoesNotContain("reconcile", panel, StringComparison.Ordinal);
    }

    private static string AuditsIn(string html) =>
        html[html.IndexOf("data-panel=\"audits\"", StringComparison.Ordinal)..].Split("</section>")[0];

    [GeneratedRegex(
        "data-row=\"audit\".+?<bdi[^>]*>(?<day>[0-9-]+)</bdi>.+?<td class=\"number (?:good|bad)\">(?<missing>[0-9,]+)</td>",
        RegexOptions.Singleline,
        matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Rows();

    private async Task<string> ShownAsync<TPage>(string url)
        where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        await using var page = ConnectedPage.Of(account, url);
        await page.ShowAsync<TPage>();
        var html = await page.HtmlAsync();
        Assert.Empty(page.Failures);
        return html;
    }

    private async Task StoreAsync(
        int count, Func<int, (DateTimeOffset? Time, string Email)> eventOf, string name = EventIndex.ByRecipientTable)
    {
        var table = new TableClient(account, name);
        await table.CreateIfNotExistsAsync(Test.Token);
        var rows = Enumerable.Range(0, count).Select(eventOf).Select((e, i) => new TableEntity(
            name == EventIndex.ByDayTable ? $"{EventKeys.Day(e.Time!.Value)}_open" : "ada@example.org",
            $"{EventKeys.Time(e.Time)}_open_{e.Email}_{i:x16}")
        {
            ["event"] = "open",
            ["email_id"] = e.Email,
            ["time"] = e.Time,
            ["rcpt"] = "ada@example.org",
            ["EventPartitionKey"] = e.Email,
            ["EventRowKey"] = $"{EventKeys.Time(e.Time)}_open_{i:x16}",
        });
        foreach (var chunk in rows.GroupBy(row => row.PartitionKey).SelectMany(partition => partition.Chunk(100)))
        {
            await table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), Test.Token);
        }
    }
}
