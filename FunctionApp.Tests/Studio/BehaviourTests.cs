using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Tool;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>What the pages do, in a real browser, and what they do when storage does not answer.</summary>
[Collection(InBrowser.Name)]
public sealed partial class BehaviourTests(StudioBrowser browser, AzuriteFixture azurite)
{
    private static readonly (string Page, string Heading)[] Pages =
    [
        (StudioLinks.Overview, "Overview"), (StudioLinks.Activity(), "Activity"), ("bounces", "Bounces"),
        ("providers", "Providers and domains"), (StudioLinks.DeadLetters, "Dead letters"), (StudioLinks.Health, "Health"),
        (StudioLinks.Email(DemoEvents.Order), "Email"), (StudioLinks.Recipient("ada@example.org"), "Recipient"),
        ("search?for=order", "Search"), ("dead-letters?reason=no-event", "Dead letters"),
        ("dead-letters?id=0123456789abcdef", "Dead letters"),
    ];

    [Fact]
    public async Task Before_a_page_is_connected_it_has_its_heading_and_has_asked_nothing()
    {
        var account = azurite.NewAccount();
        var operations = new ConcurrentBag<string>();
        await using var proxy = await CountedAsync(account, operations);
        await using var site = await StudioSite.StartAsync(proxy.ConnectionStringOf(account));
        var cookie = await site.LetInAsync();

        foreach (var (page, heading) in Pages)
        {
            using var answer = await StudioSite.GetAsync(new Uri(site.Base + page), cookie);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var html = await answer.Content.ReadAsStringAsync(Test.Token);
            Assert.Matches($"<h1[^>]*>{heading}</h1>", html);
            Assert.Contains("aria-busy=\"true\"", html, StringComparison.Ordinal);
        }

        using var nothing = await StudioSite.GetAsync(new Uri(site.Base, "nothing/here"), cookie);
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        Assert.Contains(">Not found</h1>", await nothing.Content.ReadAsStringAsync(Test.Token), StringComparison.Ordinal);
        Assert.Empty(operations);
    }

    [Fact]
    public async Task Every_page_only_reads_from_storage()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        var letter = (await StudioMail.DeadLettersAsync(account))[0];
        var operations = new ConcurrentBag<string>();
        await using var proxy = await CountedAsync(account, operations);
        await using var site = await StudioSite.StartAsync(proxy.ConnectionStringOf(account));
        await using var page = await browser.LetInAsync(site);

        foreach (var url in Pages.Select(it => it.Page).Append(StudioLinks.DeadLetter(letter.Reason, letter.Key.Id)))
        {
            var before = operations.Count;
            await page.GoAsync(url);
            Assert.True(operations.Count > before, url);
        }

        Assert.Equal([], operations.Where(operation => !IsRead(operation)).Distinct());

        // To receive a message (GetMessages) hides it from the app.
        static bool IsRead(string operation) => operation != "GetMessages" && Reads().IsMatch(operation);
    }

    [Fact]
    public async Task Back_and_reload_keep_the_page()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        await using var site = await StudioSite.StartAsync(account);
        await using var page = await browser.LetInAsync(site);

        await page.GoAsync("?period=30d");
        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Dead letters", Exact = true }).First.ClickAsync();
        await page.Tab.GetByRole(AriaRole.Link, new() { Name = "no-event" }).ClickAsync();
        await page.Tab.WaitForURLAsync("**/dead-letters?reason=no-event");
        await page.AnsweredAsync();
        Assert.Equal("no-event: 2 dead letters", await page.TextAsync("h2"));
        await page.Tab.ReloadAsync();
        await page.AnsweredAsync();
        Assert.Equal("no-event: 2 dead letters", await page.TextAsync("h2"));

        await page.Tab.GoBackAsync();
        await page.Tab.GoBackAsync();
        await page.Tab.WaitForURLAsync("**/?period=30d");
        await page.AnsweredAsync();
        Assert.Equal("Overview", await page.TextAsync("h1"));
        Assert.Equal("30 days", await page.TextAsync(".periods [aria-current]"));
        await page.Tab.ReloadAsync();
        await page.AnsweredAsync();
        Assert.Equal("30 days", await page.TextAsync(".periods [aria-current]"));
        Assert.Equal([], await page.ComplaintsAsync());
    }

    [Fact]
    public async Task Every_control_is_reached_by_the_keyboard_and_slash_goes_to_the_search()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        await using var site = await StudioSite.StartAsync(account);
        await using var page = await browser.LetInAsync(site);

        foreach (var (url, _) in Pages)
        {
            await page.GoAsync(url);
            await page.Tab.Keyboard.PressAsync("/");
            Assert.True(await page.Tab.EvaluateAsync<bool>("() => document.activeElement.id === 'search'"), url);
            var unreached = await page.UnreachedByTabAsync();
            Assert.True(unreached.Length == 0, $"{url}: {string.Join(Environment.NewLine, unreached)}");
        }
    }

    [Fact]
    public async Task A_command_is_copied_by_its_button()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        var letter = (await StudioMail.DeadLettersAsync(account)).First(it => it.Reason == DeadLetterReason.NoEvent);
        await using var site = await StudioSite.StartAsync(account);
        await using var page = await browser.LetInAsync(site);

        await page.GoAsync(StudioLinks.DeadLetter(letter.Reason, letter.Key.Id));
        await page.Tab.Locator("[data-copy]").ClickAsync();

        await page.Tab.Locator("[data-copy]", new() { HasText = "Copied" }).WaitForAsync();
        var copied = await page.Tab.EvaluateAsync<string>("() => navigator.clipboard.readText()");
        Assert.Equal($"smtp2go-ingest dead-letters replay {letter.Key.Id}", copied);
        string[] replay = ["--connection", account, .. copied.Split(' ').Skip(1), "--no-wait"];
        Assert.Equal(0, (await ToolRun.RunAsync(replay, null, AppContext.BaseDirectory)).ExitCode);
    }

    [Fact]
    public async Task In_an_empty_account_every_page_says_what_to_do()
    {
        await using var site = await StudioSite.StartAsync(azurite.NewAccount());
        await using var page = await browser.LetInAsync(site);

        foreach (var (url, heading) in Pages.Where(it => it.Page != StudioLinks.Health))
        {
            await page.GoAsync(url);
            Assert.Equal(heading, await page.TextAsync("h1"));
            Assert.True((await page.TextAsync(".empty")).Length > 20, url);
            Assert.Equal(0, await page.Tab.Locator(".failure").CountAsync());
            Assert.Equal([], await page.ComplaintsAsync());
        }

        await page.GoAsync(StudioLinks.Health);
        Assert.Equal("none", await page.TextAsync("[data-figure=last-event] .value"));
    }

    [Fact]
    public async Task While_storage_is_away_every_page_says_so_and_asks_again_when_told_to()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var site = await StudioSite.StartAsync(proxy.ConnectionStringOf(account));
        await using var page = await browser.LetInAsync(site);

        foreach (var (url, heading) in Pages.Where(it => it.Page != StudioLinks.Health))
        {
            SetAway(true);
            await page.GoAsync(url);
            Assert.Equal(heading, await page.TextAsync("h1"));
            Assert.StartsWith("Storage cannot be reached.", await page.TextAsync(".failure p"), StringComparison.Ordinal);
            Assert.Equal([], await page.AxeAsync());

            SetAway(false);
            await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Try again" }).First.ClickAsync();
            await page.Tab.Locator(".failure").WaitForAsync(new() { State = WaitForSelectorState.Detached });
            await page.AnsweredAsync();
            Assert.Equal(0, await page.Tab.Locator(".failure").CountAsync());
        }

        SetAway(true);
        await page.GoAsync(StudioLinks.Health);
        Assert.Contains("cannot be reached", await page.TextAsync("main"), StringComparison.Ordinal);
        SetAway(false);
        await page.Tab.GetByRole(AriaRole.Button, new() { Name = "Refresh" }).ClickAsync();
        await page.Tab.Locator("[data-figure=last-event]").WaitForAsync();

        void SetAway(bool isAway)
        {
            foreach (var service in Enum.GetValues<StorageService>())
            {
                proxy.SetAway(service, isAway);
            }
        }
    }

    [Fact]
    public async Task While_storage_is_slow_the_page_stays_alive()
    {
        var account = azurite.NewAccount();
        await StudioMail.StoreDemoAsync(account, DateTimeOffset.UtcNow);
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var site = await StudioSite.StartAsync(proxy.ConnectionStringOf(account));
        await using var page = await browser.LetInAsync(site);
        var answers = new TaskCompletionSource();
        proxy.Choose = _ => Fault.Until(answers.Task);

        await page.Tab.GotoAsync(site.Base.ToString());
        await page.Tab.Locator("[aria-busy=true]").First.WaitForAsync();
        await Eventually.Get(
            async () =>
            {
                // What is pressed at the moment in which the page gets connected is replaced under the pointer: so does a user press again.
                await page.Tab.GetByRole(AriaRole.Link, new() { Name = "Dead letters", Exact = true }).First.ClickAsync();
                return await page.TextAsync("h1");
            },
            heading => heading == "Dead letters");
        Assert.True(await page.Tab.Locator("[aria-busy=true]").CountAsync() > 0);

        answers.SetResult();
        await page.AnsweredAsync();
        Assert.True(await page.Tab.Locator("[data-row=reason]").CountAsync() == 3, await page.TextAsync("main"));
        Assert.Equal([], await page.ComplaintsAsync());
    }

    [Fact]
    public async Task Where_nobody_listens_the_page_says_what_to_check()
    {
        await using var site = await StudioSite.StartAsync(
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1;"
            + "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;TableEndpoint=http://127.0.0.1:1/devstoreaccount1");
        await using var page = await browser.LetInAsync(site);

        await page.GoAsync(StudioLinks.Overview);

        Assert.Equal(
            "Storage cannot be reached. Check the account in EventStorage and the network; with Azurite, check that it is running.",
            await page.TextAsync(".failure p"));
        Assert.Equal([], await page.ComplaintsAsync());
    }

    private static async Task<StorageProxy> CountedAsync(string account, ConcurrentBag<string> operations)
    {
        var proxy = await StorageProxy.StartAsync(account, Test.Token);
        proxy.Choose = request =>
        {
            operations.Add(request.Operation);
            return null;
        };
        return proxy;
    }

    [GeneratedRegex("^(Get|Query|List|Peek|HEAD )", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Reads();
}
