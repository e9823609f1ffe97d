using System.Globalization;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Tests.Tool;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>A page and the tool give the same answer to the same question.</summary>
[Collection(InBrowser.Name)]
public sealed class FiguresTests(StudioBrowser browser, AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly DateTimeOffset now = DateTimeOffset.UtcNow;
    private string account = null!;
    private StudioSite site = null!;
    private StudioPage page = null!;

    public async ValueTask InitializeAsync()
    {
        account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, now);

        // The same day for both, also at midnight.
        site = await StudioSite.StartAsync(account, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(now));
        page = await browser.LetInAsync(site);
    }

    public async ValueTask DisposeAsync()
    {
        await page.DisposeAsync();
        await site.DisposeAsync();
    }

    [Fact]
    public async Task Overview_has_the_counts_of_summary()
    {
        foreach (var period in Period.All.Where(period => period.Days > 2))
        {
            var days = period.Days.ToString(CultureInfo.InvariantCulture);
            var total = (await RunAsync("summary", "--days", days, "--json")).Json[^1];

            await page.GoAsync(StudioLinks.OverviewOf(period));

            Assert.Equal(Count(total, "processed"), await FigureAsync("sent"));
            Assert.Equal(Count(total, "delivered"), await FigureAsync("delivered"));
            Assert.Equal((long)total["hardBounces"]!, await FigureAsync("hard"));
            Assert.Equal(Count(total, "bounce") - (long)total["hardBounces"]!, await FigureAsync("soft"));
            Assert.Equal(Count(total, "reject"), await FigureAsync("rejected"));
            Assert.Equal(Count(total, "spam"), await FigureAsync("complaints"));
            Assert.Equal(Count(total, "unsubscribe"), await FigureAsync("unsubscribes"));
            Assert.Equal((long)total["opens"]!["count"]! - (long)total["opens"]!["likelyMachine"]!, await FigureAsync("opens"));
            Assert.Equal((long)total["opens"]!["likelyMachine"]!, await FigureAsync("machine-opens"));
            Assert.Equal((long)total["clicks"]!["count"]!, await FigureAsync("clicks"));
            Assert.Equal(3, await FigureAsync("delivered"));
        }
    }

    [Fact]
    public async Task Bounces_has_the_replies_and_the_classes_of_the_tool()
    {
        var replies = (await RunAsync("bounces", "--days", "7", "--json")).Json.Where(line => (string?)line["by"] == "reason");
        var total = (await RunAsync("summary", "--days", "7", "--json")).Json[^1];

        await page.GoAsync("bounces");

        Assert.Equal(
            replies.Select(line => $"{line["name"]} {line["hard"]} {line["soft"]}").Order(),
            (await RowsAsync("[data-table=replies] tbody tr")).Order());
        Assert.Equal(
            total["bounceClasses"]!.AsArray()
                .Select(it => $"{it!["name"]} {it["hard"]} {it["soft"]} {it["rejected"]}").Order(),
            (await RowsAsync("[data-table=classes] tbody tr", columns: 3)).Order());
    }

    [Theory]
    [InlineData(DemoEvents.Order)]
    [InlineData(DemoEvents.Newsletter)]
    [InlineData(DemoEvents.Invoice)]
    public async Task Email_has_the_events_and_the_verdicts_of_the_tool(string id)
    {
        var events = (await RunAsync("email", id, "--json")).Json;
        var text = (await RunAsync("email", id, "--utc")).Output.Replace('\u00a0', ' ');

        await page.GoAsync(StudioLinks.Email(id));

        Assert.Equal(events.Count, await page.Tab.Locator("[data-row=event]").CountAsync());
        var verdicts = await page.Tab.Locator("[data-verdict] > bdi").AllInnerTextsAsync();
        Assert.NotEmpty(verdicts);
        Assert.All(verdicts, verdict => Assert.Contains(verdict.Replace('\u00a0', ' '), text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ada@example.org")]
    [InlineData("bob@example.net")]
    [InlineData("dora@example.com")]
    public async Task Recipient_has_the_state_and_the_emails_of_the_tool(string address)
    {
        var text = (await RunAsync("recipient", address, "--utc")).Output.Replace('\u00a0', ' ');

        await page.GoAsync(StudioLinks.Recipient(address));

        var state = await page.Tab.Locator("[data-state]").GetAttributeAsync("data-state");
        Assert.Matches($"\nState +{state}( |\n|$)", text);
        Assert.Contains((await page.TextAsync("[data-state] .sentence")).Replace('\u00a0', ' '), text, StringComparison.Ordinal);
        Assert.Equal(text.Split("Email    ").Length - 1, await page.Tab.Locator("[data-row=email]").CountAsync());
    }

    [Fact]
    public async Task Dead_letters_has_the_reasons_of_the_tool()
    {
        var letters = (await RunAsync("dead-letters", "list", "--json")).Json;

        await page.GoAsync(StudioLinks.DeadLetters);
        var rows = await page.Tab.Locator("[data-row=reason]").AllInnerTextsAsync();
        Assert.Equal(
            letters.GroupBy(letter => (string)letter["Reason"]!).Select(group => $"{group.Key} {group.Count()}").Order(),
            rows.Select(row => string.Join(' ', row.Split('\t').Take(2).Select(cell => cell.Trim()))).Order());

        foreach (var reason in letters.Select(letter => (string)letter["Reason"]!).Distinct())
        {
            await page.GoAsync(StudioLinks.DeadLetter(reason, null));
            Assert.Equal(
                letters.Where(letter => (string)letter["Reason"]! == reason).Select(letter => ((string)letter["Id"]!)[..8]),
                await page.Tab.Locator("[data-row=letter] a").AllInnerTextsAsync());
        }
    }

    private static long Count(JsonObject total, string name) => (long?)total["counts"]![name] ?? 0;

    private async Task<long> FigureAsync(string name) =>
        long.Parse(await page.TextAsync($"[data-figure={name}] .value"), NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    // The name in bold, and the numbers.
    private async Task<IReadOnlyList<string>> RowsAsync(string rows, int columns = 2)
    {
        List<string> texts = [];
        foreach (var row in await page.Tab.Locator(rows).AllAsync())
        {
            var numbers = await row.Locator("td").AllInnerTextsAsync();
            texts.Add($"{await row.Locator("strong").InnerTextAsync()} {string.Join(' ', numbers.Take(columns))}");
        }

        return texts;
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.RunAsync(account, now, args);
}
