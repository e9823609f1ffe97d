using System.Globalization;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What the pages of Studio count is what the tool counts, and it ends where they say.</summary>
public sealed class CountsTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Now = new(2026, 5, 31, 12, 20, 0, TimeSpan.Zero);
    private static readonly DateOnly Today = new(2026, 5, 31);
    private static readonly int[] DaysWithEvents = [0, 1, 2, 10];
    private static readonly int[] DaysOfAYear = [0, 3, 29, 80, 380];

    [Fact]
    public async Task Days_that_are_not_counted_are_counted_from_the_newest_on_until_there_are_too_many_events()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, [.. DaysWithEvents.SelectMany(ago => Enumerable.Range(0, 5).Select(i => Delivered(ago, i)))]);

        var cut = await ReadAsync(account, days: 30, most: 12);
        Assert.Equal(["2026-05-30", "2026-05-31"], cut.ByDay.Keys);
        Assert.Equal(10, cut.Total.Events);
        Assert.Equal("2026-05-02 to 2026-05-29", Assert.Single(cut.Missing).ToString());
        var days = DayRange.LastDays(4, Today);
        var shown = new PeriodSummary(Period.Week, days, cut, Slot.Daily(cut, days));
        Assert.Equal([true, true, false, false], shown.Slots.Select(shown.IsIncomplete));

        foreach (var most in new int?[] { 20, null })
        {
            var all = await ReadAsync(account, days: 30, most);
            Assert.Equal(["2026-05-21", "2026-05-29", "2026-05-30", "2026-05-31"], all.ByDay.Keys);
            Assert.Equal(20, all.Total.Of("delivered").Count);
            Assert.Empty(all.Missing);
        }
    }

    [Fact]
    public async Task The_rest_of_a_day_that_does_not_fit_is_left_out_and_what_is_counted_of_it_stays()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, [.. Enumerable.Range(0, 5).Select(i => Delivered(0, i)), Delivered(1, 0)]);
        await CountedAsync(account, Today, Now.AddMinutes(-20), deliveries: 7);

        var cut = await ReadAsync(account, days: 2, most: 4);
        Assert.Equal(7, cut.Of(Today).Of("delivered").Count);
        Assert.Equal(["2026-05-30", "2026-05-31 from 12:00"], cut.Missing.Select(days => days.ToString()));

        var all = await ReadAsync(account, days: 2, most: 6);
        Assert.Equal((12, 1), (all.Of(Today).Of("delivered").Count, all.Of(Today.AddDays(-1)).Of("delivered").Count));
        Assert.Empty(all.Missing);
    }

    [Fact]
    public async Task Months_without_events_are_not_a_request_for_each_day()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, [Delivered(0, 0), Delivered(390, 0)]);
        var requests = new RequestCount();
        var options = new TableClientOptions();
        options.AddPolicy(requests, HttpPipelinePosition.PerCall);

        var summary = await Summary.ReadAsync(
            new TableServiceClient(account, options), DayRange.LastDays(396, Today), isLive: false, null, Test.Token, most: 100);

        Assert.Equal(2, summary.Total.Events);
        Assert.InRange(requests.Count, 1, 25);
    }

    [Fact]
    public async Task The_last_24_hours_are_this_one_and_the_23_before_it()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            [
                Event("delivered", Now.AddHours(-24).AddMinutes(39), 0), // 12:59: the day before, an hour too early
                Event("delivered", Now.AddHours(-24).AddMinutes(40), 1), // 13:00
                Event("delivered", Now.AddHours(-12).AddMinutes(-30), 2), // 23:50
                Event("delivered", Now.AddMinutes(-1), 3),
                Event("open", Now.AddHours(-12), 4),
            ]);
        var tool = (await ToolRun.RunAsync(account, Now, "summary", "--days", "2d", "--json")).Json;

        var hours = Slot.LastHours(await ReadAsync(account, days: 2, most: 100), Now);

        Assert.Equal(24, hours.Count);
        Assert.Equal((Now.AddHours(-24).AddMinutes(40), Now.AddMinutes(40)), (hours[0].From, hours[^1].Until));
        Assert.Equal([0, 10, 23], Enumerable.Range(0, 24).Where(i => hours[i].Of("delivered") == 1));
        Assert.Equal(3, hours.Sum(hour => hour.Of("delivered")));
        Assert.Equal(1, hours[11].Of("open"));
        Assert.All(hours, hour => Assert.Equal(
            (int?)tool.SingleOrDefault(day => (string?)day["day"] == hour.Days.ToString())?["byHour"]?["delivered"]?[hour.From.Hour] ?? 0,
            (int)hour.Of("delivered")));
    }

    [Theory]
    [InlineData("7d", 7, "2026-05-25", "2026-05-31")]
    [InlineData("30d", 30, "2026-05-02", "2026-05-31")]
    [InlineData("90d", 13, "2026-03-03 to 2026-03-08", "2026-05-25 to 2026-05-31")]
    [InlineData("13m", 14, "2025-05-01 to 2025-05-31", "2026-05-01 to 2026-05-31")]
    public async Task Days_weeks_and_months_hold_each_day_once(string key, int count, string first, string last)
    {
        var account = azurite.NewAccount();
        var period = Period.Of(key);
        await StoreAsync(account, [.. DaysOfAYear.Select(ago => Delivered(ago, ago))]);
        var storage = new StudioStorage(new TableServiceClient(account), null!, null!);

        var counts = await PeriodSummary.ReadAsync(storage, period, Now, Test.Token);

        if (key != "13m")
        {
            Assert.Equal((count, first, last), (counts.Slots.Count, counts.Slots[0].Days.ToString(), counts.Slots[^1].Days.ToString()));
        }

        Assert.Equal(counts.Days.Days, counts.Slots.SelectMany(slot => slot.Days.Days));
        Assert.Equal(counts.Summary.Total.Of("delivered").Count, counts.Slots.Sum(slot => slot.Of("delivered")));
        var tool = (await ToolRun.RunAsync(account, Now, "summary", "--days", $"{period.Days}d", "--json")).Json[^1];
        Assert.Equal((long)tool["counts"]!["delivered"]!, counts.Slots.Sum(slot => slot.Tally!.Of("delivered").Count));
    }

    [Fact]
    public async Task The_latest_bounces_are_those_that_the_tool_counts_until_there_are_enough()
    {
        var account = azurite.NewAccount();
        var bounces = new[] { (0, 3), (1, 2), (1, 5), (2, 4), (20, 6) } // days and hours ago; the second is how many in that hour
            .SelectMany((hour, n) => Enumerable.Range(0, hour.Item2).Select(i => Event(
                "bounce", Now.AddDays(-hour.Item1).AddHours(-n).AddMinutes(i - 15), (100 * n) + i,
                $"&bounce={(i % 2 == 0 ? "hard" : "soft")}&message=55{n}+5.1.{n}+no")));
        await StoreAsync(account, [.. bounces]);
        var service = new TableServiceClient(account);
        var summary = await ReadAsync(account, days: 30, most: 100);

        var all = await BounceReport.CountLatestAsync(service, summary, most: 20, Test.Token);
        var tool = (await ToolRun.RunAsync(account, Now, "bounces", "--days", "30d", "--json")).Json
            .Where(line => (string?)line["by"] == "reason")
            .Select(line => ((string?)line["name"], (int)line["hard"]!, (int)line["soft"]!));
        Assert.Equal(tool, all.ByReason.Largest.Select(group => ((string?)group.Name, group.Hard, group.Soft)));
        Assert.Null(all.Since);

        // Ten fit; of the hour before them, two more.
        var cut = await BounceReport.CountLatestAsync(service, summary, most: 12, Test.Token);
        Assert.Equal(12, cut.Hard + cut.Soft);
        Assert.Equal(
            [("552 5.1.2", 5), ("550 5.1.0", 3), ("551 5.1.1", 2), ("553 5.1.3", 2)],
            cut.ByReason.Largest.Select(group => (group.Name, group.Hard + group.Soft)));
        Assert.Equal(new DateTimeOffset(2026, 5, 29, 10, 0, 0, TimeSpan.Zero), cut.Since);
    }

    [Fact]
    public async Task Rejects_have_a_provider_and_a_sender_even_where_nothing_was_delivered()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, [Event("reject", Now, 1, "&message=Sender+domain+is+not+verified", "me@unverified.example")]);

        var total = (await ReadAsync(account, days: 1, most: 100)).Total;

        var domain = Assert.Single(total.SenderDomains);
        Assert.Equal(("unverified.example", 1, 0, null), (domain.Name, domain.Rejected, domain.Delivered, domain.DeliveryRate));
        var json = (await ToolRun.RunAsync(account, Now, "summary", "--days", "1d", "--json")).Json[^1];
        Assert.Equal(1, (int)json["senderDomains"]![0]!["rejected"]!);
    }

    [Theory]
    [InlineData(0.05, 100, Judgement.Below)]
    [InlineData(0.0501, 100, Judgement.Above)]
    [InlineData(0.10, 100, Judgement.Above)]
    [InlineData(0.1001, 100, Judgement.FarAbove)]
    [InlineData(0.5, 99, Judgement.TooFew)]
    [InlineData(null, 100, Judgement.TooFew)]
    internal void A_rate_is_judged_as_the_alerts_do(double? rate, long of, Judgement expected) =>
        Assert.Equal(expected, Threshold.HardBounces.Judge(rate, of));

    [Fact]
    public void Limits_are_those_of_the_alerts()
    {
        var bicep = File.ReadAllLines(Path.Combine(Repository.Root, "infra", "main.bicep"));

        Assert.Equal(
            new Threshold(Of("hardBouncePercent") / 100, Of("hardBouncePercentHigh") / 100, (long)Of("hardBounceLeastEvents")),
            Threshold.HardBounces);
        Assert.Equal(
            new Threshold(Of("complaintsPerThousand") / 1000, Of("complaintsPerThousandHigh") / 1000, (long)Of("complaintLeastDelivered")),
            Threshold.Complaints);
        Assert.Equal(
            (Of("slowDeliveryMinutes") * 60, (long)Of("slowDeliveryLeastDelivered")),
            (Threshold.MedianDelivery.Limit, Threshold.MedianDelivery.Least));

        double Of(string parameter)
        {
            var line = bicep.Single(line => line.StartsWith($"param {parameter} int = ", StringComparison.Ordinal));
            return double.Parse(line.Split('=')[1], CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void Days_are_in_the_link_to_the_events()
    {
        Assert.Equal("activity?event=bounce&day=2026-05-31&until=2026-05-31", StudioLinks.Activity("bounce", day: Today, until: Today));
        Assert.Equal("activity?event=bounce&day=2026-05-31&until=2026-05-31", StudioLinks.Activity("bounce", day: Today));
        Assert.Equal("activity?day=2026-05-30&until=2026-05-31", StudioLinks.Activity(day: Today.AddDays(-1), until: Today));
    }

    private static Task<Summary> ReadAsync(string account, int days, int? most) => Summary.ReadAsync(
        new TableServiceClient(account), DayRange.LastDays(days, Today), isLive: false, progress: null, Test.Token, most);

    private static string Delivered(int daysAgo, int i) => Event("delivered", Now.AddDays(-daysAgo).AddMinutes(-i % 20), i);

    private static string Event(string name, DateTimeOffset at, int i, string fields = "", string from = "shop@shop.example") =>
        $"event={name}&id={name}{at:yyyyMMddHHmm}{i}&email_id={EximId.Of(at)}&time={at:yyyy-MM-ddTHH:mm:ssZ}&rcpt=a@gmail.com"
        + $"&from={Uri.EscapeDataString(from)}{fields}";

    // Straight into the table by day: the queue has tests of its own.
    private static async Task StoreAsync(string account, IReadOnlyList<string> bodies)
    {
        var table = new TableClient(account, EventIndex.ByDayTable);
        await table.CreateIfNotExistsAsync(Test.Token);
        foreach (var body in bodies)
        {
            Assert.True(EmailEvent.TryParse(BinaryData.FromString(body), out var e, out _));
            var webhook = new ReceivedWebhook("id", Now, "application/x-www-form-urlencoded", body, null);
            await table.AddEntityAsync(EventIndex.ByDay(e, EventColumns.ToRow(e, webhook)), Test.Token);
        }
    }

    private static async Task CountedAsync(string account, DateOnly day, DateTimeOffset until, int deliveries)
    {
        var key = DayRange.ToText(day);
        var days = new TableClient(account, DaysTable.TableName);
        await days.CreateIfNotExistsAsync(Test.Token);
        var own = new TableEntity(DaysTable.PartitionKey(key), key) { [DaysTable.CountedAt] = until, [DaysTable.CountedUntil] = until };
        await days.AddEntityAsync(own, Test.Token);
        await days.AddEntityAsync(
            new TableEntity(DaysTable.PartitionKey(key), $"{key}_delivered") { ["Count"] = (long)deliveries }, Test.Token);
    }

    private sealed class RequestCount : HttpPipelineSynchronousPolicy
    {
        private int count;

        public int Count => count;

        public override void OnSendingRequest(HttpMessage message) => Interlocked.Increment(ref count);
    }
}
