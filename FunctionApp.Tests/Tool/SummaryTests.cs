using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>A summary adds up what is counted and counts the rest: both ways it is the truth.</summary>
public sealed class SummaryTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Now = new(2026, 5, 31, 12, 20, 0, TimeSpan.Zero);

    [Fact]
    public async Task Counted_days_the_rest_of_today_and_days_that_were_touched_since_give_what_a_live_count_gives()
    {
        var account = azurite.NewAccount();
        var time = new FakeTimeProvider(Now);
        await using var app = await IngestApp.StartAsync(
            account, configure: services => services.AddSingleton<TimeProvider>(time), pump: false);
        await StoreAsync(app, [.. Enumerable.Range(0, 9).SelectMany(ago => Day(Now.AddDays(-ago), "a"))]);
        await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);

        // As if all this had been an hour ago.
        await DeleteAsync(new TableClient(account, DaysTable.TableName), row => row.PartitionKey == DaysTable.Touched);
        time.Advance(TimeSpan.FromMinutes(6));
        await StoreAsync(app, [.. Day(Now, "b"), .. Day(Now.AddDays(-3), "b")]);

        var (counted, live) = (await RunAsync(account, "--json"), await RunAsync(account, "--live", "--json"));
        Assert.Equal(live.Output, counted.Output);
        Assert.Equal(2 * 7, (int)Line(counted, "2026-05-28")["events"]!);
        Assert.Equal(7, (int)Line(counted, "2026-05-29")["events"]!);
        Assert.Equal(2 * 7, (int)Line(counted, "2026-05-31")["events"]!);
        Assert.Equal(11 * 7, (int)counted.Json[^1]["events"]!);

        // Nothing but the counts is read for days that are counted.
        await DeleteAsync(new TableClient(account, EventIndex.ByDayTable), row => row.PartitionKey == "2026-05-29_delivered");
        Assert.Equal(counted.Output, (await RunAsync(account, "--json")).Output);
    }

    [Fact]
    public async Task It_says_where_email_arrives_how_fast_and_what_opened_it()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, pump: false);
        await StoreAsync(app, Day(Now.AddDays(-1), "a"));

        var run = await RunAsync(account);

        Assert.Equal(0, run.ExitCode);
        Assert.All(
            [
                "Provider", "gmail", "Bounce class", "invalid-recipient", "Sender's domain", "shop.example",
                "Delivery time: half within 7 s, 95 % within 15 min.", "1 open, 1 likely by a machine.",
            ],
            text => Assert.Contains(text, run.Output, StringComparison.Ordinal));
        var total = (await RunAsync(account, "--json")).Json[^1];
        var gmail = total["providers"]!.AsArray().Single(provider => (string?)provider!["name"] == "gmail")!;
        Assert.Equal((2, 1, 0), ((int)gmail["delivered"]!, (int)gmail["hardBounces"]!, (int)gmail["softBounces"]!));
        Assert.Equal(2.0 / 3, (double)gmail["deliveryRate"]!, 6);
        Assert.Equal(7, (double)total["delivery"]!["medianSeconds"]!);
        Assert.Equal((1, 1), ((int)total["opens"]!["count"]!, (int)total["opens"]!["likelyMachine"]!));
        Assert.Equal(["2", "1"], total["senderDomains"]!.AsArray().Select(domain => $"{domain!["delivered"]}"));
    }

    private static async Task DeleteAsync(TableClient table, System.Linq.Expressions.Expression<Func<TableEntity, bool>> which)
    {
        await foreach (var row in table.QueryAsync(which, cancellationToken: Test.Token))
        {
            await table.DeleteEntityAsync(row, cancellationToken: Test.Token);
        }
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_is_named_with_what_to_do()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, pump: false);
        await StoreAsync(app, Day(Now.AddDays(-1), "a"));
        var days = new TableClient(account, DaysTable.TableName);
        var own = new TableEntity("2026-05", "2026-05-30") { ["CountedAt"] = Now, ["CountedUntil"] = Now };
        await DeleteAsync(days, row => row.PartitionKey == DaysTable.Touched);
        await days.AddEntityAsync(own, Test.Token);
        await days.AddEntityAsync(new TableEntity("2026-05", "2026-05-30_open") { ["Providers"] = "not JSON" }, Test.Token);

        var run = await RunAsync(account);

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(
            "The row 2026-05-30_open of Smtp2GoDays cannot be read. Add --live, or run reindex, which counts all days again.\n", run.Error);
        Assert.Equal(0, (await RunAsync(account, "--live")).ExitCode);
    }

    private static JsonObject Line(ToolRun run, string day) => run.Json.Single(line => (string?)line["day"] == day);

    private static Task<ToolRun> RunAsync(string account, params string[] more) =>
        ToolRun.RunAsync(account, Now, ["summary", "--days", "30", .. more]);

    private static async Task StoreAsync(IngestApp app, IReadOnlyList<string> bodies)
    {
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
            await app.StoreQueuedAsync();
        }
    }

    private static string[] Day(DateTimeOffset day, string id)
    {
        return
        [
            Event("processed", 0, "&recipients=a@gmail.com"),
            Event("delivered", 7, "&rcpt=a@gmail.com"),
            Event("delivered", 900, "&rcpt=b@gmail.com"),
            Event("delivered", 3, "&rcpt=c@x.example", "other@other.example"),
            Event("bounce", 4, "&rcpt=d@gmail.com&bounce=hard&message=550+5.1.1+no+such+user"),
            Event("spam", 5, "&rcpt=a@gmail.com"),
            Event("open", 60, "&rcpt=a@gmail.com&user-agent=Mozilla%2F5.0+(via+ggpht.com+GoogleImageProxy)"),
        ];

        string Event(string name, int seconds, string fields, string from = "shop@shop.example")
        {
            var at = id == "b" ? day.AddMinutes(-5) : day.AddHours(-2);
            return $"event={name}&id={id}{day:yyyyMMdd}{name}{seconds}&email_id={EximId.Of(at)}"
                + $"&time={at.AddSeconds(seconds):yyyy-MM-ddTHH:mm:ssZ}&from={Uri.EscapeDataString(from)}{fields}";
        }
    }
}
