using System.Text.RegularExpressions;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>Every page in a real browser: over the demo's data and over hostile data, wide and narrow, light and dark.</summary>
[Collection(InBrowser.Name)]
public sealed partial class PagesTests(StudioBrowser browser, AzuriteFixture azurite)
{
    // web.dev's limit for a page that does not jump.
    private const double GoodLayoutShift = 0.1;

    private static readonly (string Name, string Page)[] Everywhere =
    [
        .. Period.All.Select(period => ($"overview-{period.Key}", StudioLinks.OverviewOf(period))),
        ("overview", StudioLinks.Overview), ("activity", StudioLinks.Activity()), ("activity-bounce", StudioLinks.Activity("bounce")),
        ("activity-text", StudioLinks.Activity(text: "order", provider: "other")), ("bounces", "bounces"), ("providers", "providers"),
        ("recipients", StudioLinks.Recipients(null)),
        ("dead-letters", StudioLinks.DeadLetters), ("health", StudioLinks.Health), ("search", "search"), ("not-found", "nothing/here"),
    ];

    private static readonly (string Name, string Page)[] OfDemo =
    [
        ("email", StudioLinks.Email(DemoEvents.Order)), ("email-many", StudioLinks.Email(DemoEvents.Newsletter)),
        ("email-none", StudioLinks.Email("nothing")), ("recipient", StudioLinks.Recipient("ada@example.org")),
        ("recipient-bounced", StudioLinks.Recipient("bob@example.net")), ("recipient-none", StudioLinks.Recipient("nobody@example.org")),
        ("search-words", "search?for=order"), ("search-none", "search?for=nothing+like+it"),
        ("dead-letters-no-event", "dead-letters?reason=no-event"),
    ];

    [Fact]
    public async Task Over_the_demo_s_data_every_page_is_sound()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        var letter = (await StudioMail.DeadLettersAsync(account))[0];

        await AssertSoundAsync(
            account, "demo", [.. Everywhere, .. OfDemo, ("dead-letter", StudioLinks.DeadLetter(letter.Reason, letter.Key.Id))]);
    }

    [Fact]
    public async Task Over_hostile_data_every_page_is_sound()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreHostileAsync(account, DateTimeOffset.UtcNow);
        var letters = await StudioMail.DeadLettersAsync(account);
        Assert.NotEmpty(letters);

        await AssertSoundAsync(account, "hostile", [.. Everywhere, .. HostileMail.Pages(letters)]);
    }

    // Both widths at once, each in its own tab.
    private async Task AssertSoundAsync(string account, string data, IReadOnlyList<(string Name, string Page)> pages)
    {
        await using var site = await StudioSite.StartAsync(account);

        // One after the other: a new link makes an older one useless.
        await using var wide = await browser.LetInAsync(site, width: 1280);
        await using var narrow = await browser.LetInAsync(site, width: 390);
        var wrong = await Task.WhenAll(LookAsync(wide, data, 1280, pages), LookAsync(narrow, data, 390, pages));

        Assert.True(wrong.All(found => found.Count == 0), string.Join(Environment.NewLine, wrong.SelectMany(found => found)));
    }

    private static async Task<IReadOnlyList<string>> LookAsync(
        StudioPage page, string data, int width, IReadOnlyList<(string Name, string Page)> pages)
    {
        page.IsExpected = text => text.Contains("404 (Not Found)", StringComparison.Ordinal);
        List<string> wrong = [];
        foreach (var (name, url) in pages)
        {
            await page.GoAsync(url);
            Add(name, await page.ProblemsAsync(GoodLayoutShift));
            if (data == "demo" && SourceShown().Match(await page.TextAsync("body")) is { Success: true } match)
            {
                Add(name, [$"shows its own source: {match.Value}"]);
            }

            await page.ScreenshotAsync($"{data}-{name}-{width}-light");

            // Nothing but colours changes.
            await page.DarkenAsync(isDark: true);
            Add($"{name}, dark", await page.AxeAsync("color-contrast", "link-in-text-block"));
            await page.ScreenshotAsync($"{data}-{name}-{width}-dark");
            await page.DarkenAsync(isDark: false);
        }

        return wrong;

        void Add(string where, IEnumerable<string> problems) => wrong.AddRange(problems.Select(it => $"{where} at {width}: {it}"));
    }

    [GeneratedRegex(".{0,40}(/>|</|=\"|@\\(|System\\.)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SourceShown();
}
