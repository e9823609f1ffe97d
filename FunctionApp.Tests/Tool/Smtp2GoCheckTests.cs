using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Tool.Asking;
using OurWebhook = Smtp2GoIngest.Tool.Asking.OurWebhook;
using SeenWebhook = Smtp2GoIngest.Reconciling.Smtp2GoWebhook;
using Webhook = Smtp2GoIngest.Lab.Smtp2Go.Smtp2GoWebhook;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What <c>check --smtp2go</c> finds, and that it shows no secret of a webhook's URL.</summary>
public sealed class Smtp2GoCheckTests(AzuriteFixture azurite)
{
    private const string Secret = "correct-horse-battery";
    private const string Url = $"https://smtp2go:{Secret}@ingest.example/webhook/smtp2go";

    private static readonly string[] Nine =
        ["processed", "delivered", "open", "click", "bounce", "spam", "unsubscribe", "resubscribe", "reject"];

    [Fact]
    public async Task A_webhook_without_a_fault()
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));

        var run = await tool.RunAsync("check", "--smtp2go");

        Assert.EndsWith(
            """
            ok  smtp2go connection              SMTP2GO accepts the key
            ok  smtp2go permissions             /activity/search, /webhook/view
            ok  smtp2go webhook                 https://ingest.example/webhook/smtp2go
            ok  smtp2go events                  all nine
            ok  smtp2go format                  form
            ok  smtp2go authorization           in the URL

            """,
            run.Output,
            StringComparison.Ordinal);
        Assert.StartsWith("ok  connection  ", run.Output, StringComparison.Ordinal);
        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task It_only_looks()
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));

        await tool.RunAsync("check", "--smtp2go");
        await tool.RunAsync("check");

        Assert.Equal(["/api_keys/permissions", "/webhook/view"], tool.Server.Calls.Select(call => call.Path));
        Assert.All(tool.Server.Calls, call => Assert.Equal(KeyPlaces.Header, call.Key));
    }

    [Theory]
    [InlineData("permissions", "missing: /webhook/view. Give them to the key in SMTP2GO.", "/activity/search")]
    [InlineData("permissions", "missing: /activity/search. Give them to the key in SMTP2GO.", "/webhook/view")]
    public async Task A_permission_may_be_missing(string what, string detail, params string[] permissions)
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));
        tool.Account.Keys.Clear();
        tool.Account.Keys.Add(new ApiKey(Smtp2GoTool.Key, permissions));

        Assert.Equal([(what, detail)], await ProblemsAsync(tool));
    }

    [Fact]
    public async Task A_key_that_may_do_more_is_not_a_problem_but_it_is_said()
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));
        tool.Account.Keys.Clear();
        tool.Account.Keys.Add(new ApiKey(Smtp2GoTool.Key));

        var run = await tool.RunAsync("check", "--smtp2go", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(run.Json, finding => (string?)finding["detail"]
            == "/activity/search, /webhook/view and 1 other: a key without those would be safer");
    }

    [Fact]
    public async Task A_key_that_is_not_accepted_is_one_problem()
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));
        tool.Account.Keys.Clear();

        Assert.Equal([("connection", "SMTP2GO does not accept the API key. Check Smtp2Go__ApiKey.")], await ProblemsAsync(tool));
    }

    [Theory]
    [InlineData(429, "SMTP2GO allows no more calls for now (429). Check Smtp2Go__ApiUrl, and try again in a few minutes.")]
    [InlineData(503, "SMTP2GO failed (503). Check Smtp2Go__ApiUrl, and try again in a few minutes.")]
    [InlineData(0, "SMTP2GO does not answer. Check Smtp2Go__ApiUrl, and try again in a few minutes.")]
    public async Task It_does_not_wait_for_long(int status, string detail)
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));
        tool.Server.Faults.Enqueue(new ApiFault(status), 100);

        Assert.Equal([("connection", detail)], await ProblemsAsync(tool));
    }

    [Fact]
    public async Task Without_a_webhook_nothing_comes() => Assert.Equal(
        [("webhook", "SMTP2GO has no webhook. Add one with a URL that ends in /webhook/smtp2go.")],
        await ProblemsAsync(await StartAsync()));

    [Theory]
    [InlineData("https://other.example/a/webhook", "other.example")]
    [InlineData($"https://user:{Secret}@other.example:8443/smtp2go?p={Secret}", "other.example:8443")]
    [InlineData($"https://other.example/webhook/smtp2go-{Secret}", "other.example")]
    public async Task A_webhook_of_another_app_is_not_this_ones(string url, string host)
    {
        await using var tool = await StartAsync(new Webhook(new Uri(url)));

        Assert.Equal(
            [("webhook", $"none goes to a URL that ends in /webhook/smtp2go. The account's webhooks go to {host}.")],
            await ProblemsAsync(tool));
    }

    [Theory]
    [InlineData("https://ingest.example/webhook/smtp2go", null)]
    [InlineData("https://INGEST.example:443/webhook/smtp2go/", null)]
    [InlineData($"https://x:y@ingest.example/webhook/smtp2go_{Secret}?p={Secret}", null)]
    [InlineData(
        $"https://x:y@new.example/webhook/smtp2go_{Secret}",
        "none goes to https://new.example/webhook/smtp2go. The account's webhooks go to ingest.example.")]
    [InlineData(
        "https://ingest.example:8443/webhook/smtp2go",
        "none goes to https://ingest.example:8443/webhook/smtp2go. The account's webhooks go to ingest.example.")]
    [InlineData(
        "https://ingest.example/api/webhook/smtp2go",
        "none goes to https://ingest.example/webhook/smtp2go. The account's webhooks go to ingest.example, to another path there.")]
    public async Task The_apps_own_URL_may_be_given(string url, string? problem)
    {
        await using var tool = await StartAsync(new Webhook(new Uri(Url)));

        Assert.Equal(problem is null ? [] : [("webhook", problem)], await ProblemsAsync(tool, "--url", url));
    }

    [Fact]
    public async Task Several_apps_are_told_apart()
    {
        await using var tool = await StartAsync(
            new Webhook(new Uri(Url)), new Webhook(new Uri($"http://staging.example/webhook/smtp2go?p={Secret}")));

        Assert.Equal(
            [(
                "webhook 2",
                "http://staging.example/webhook/smtp2go: without https, anybody in between can read the password and the events.")],
            await ProblemsAsync(tool));
        Assert.Empty(await ProblemsAsync(tool, "--url", Url));
    }

    [Theory]
    [InlineData("--url")]
    [InlineData("--smtp2go", "--url", "ingest.example/webhook/smtp2go")]
    [InlineData("--smtp2go", "--url", $"https://ingest.example/{Secret}")]
    [InlineData("--smtp2go", "--url", $"https://smtp2go:12/{Secret}@ingest.example/webhook/smtp2go")]
    [InlineData("--url", Url)]
    public async Task Wrong_usage_is_one_line(params string[] args)
    {
        await using var tool = await StartAsync();

        var run = await tool.RunAsync(["check", .. args]);

        Assert.Equal((2, string.Empty), (run.ExitCode, run.Output));
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain(Secret, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_needs_a_key_before_anything_is_checked()
    {
        await using var tool = await StartAsync();
        tool.Set([]);

        var run = await tool.RunAsync("check", "--smtp2go");

        Assert.Equal((2, string.Empty), (run.ExitCode, run.Output));
        Assert.StartsWith("Set Smtp2Go__ApiKey, ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_way_to_send_a_secret_is_one()
    {
        foreach (var url in new[]
        {
            Url, $"https://h.example/webhook/smtp2go?p={Secret}", $"https://h.example/webhook/smtp2go?x=1&p={Secret}",
            $"https://h.example/webhook/smtp2go_{Secret}",
        })
        {
            Assert.Empty(Problems(Seen(url)));
        }

        foreach (var url in new[]
        {
            "https://h.example/webhook/smtp2go", "https://user@h.example/webhook/smtp2go", "https://user:@h.example/webhook/smtp2go",
            "https://h.example/webhook/smtp2go?p=", "https://h.example/webhook/smtp2go_", "https://h.example/webhook/smtp2go?q=1",
        })
        {
            Assert.Equal(
                [("authorization", "none: the app refuses every webhook. Put its user name and password into the URL.")],
                Problems(Seen(url)));
            Assert.Empty(Problems(Seen(url) with { AuthHeaderType = "basic" }));
            Assert.Empty(Problems(Seen(url) with { AuthHeaderType = "bearer" }));
        }

        Assert.Equal(
            [("authorization", "of a type that is neither basic nor bearer: the app refuses every webhook.")],
            Problems(Seen(Url) with { AuthHeaderType = "digest" }));
    }

    [Theory]
    [InlineData("Not selected, so they never come: delivered, reject.", "delivered|reject", "")]
    [InlineData("resubscribe is not selected: tick Unsubscribed/Resubscribed in SMTP2GO's app.", "resubscribe", "")]
    [InlineData("'open ' is not an event: write open.", "open", "open ")]
    [InlineData("'Bounce' is not an event: write bounce.", "bounce", "Bounce")]
    [InlineData("'opened' is not an event: write open.", "open", "opened")]
    [InlineData(
        "'bouncee' is not an event that this version knows. Not selected, so they never come: bounce.", "bounce", "bouncee")]
    [InlineData(null, "", "postponed")]
    [InlineData(null, "", "sms_delivered")]
    public void Events_may_be_missing_or_misspelt(string? problem, string without, string with)
    {
        var webhook = Seen(Url) with { Events = [.. Nine.Except(without.Split('|')), .. with.Length > 0 ? [with] : (string[])[]] };

        Assert.Equal(problem is null ? [] : [("events", problem)], Problems(webhook));
    }

    [Fact]
    public void A_format_a_header_and_a_filter_may_be_wrong()
    {
        Assert.Empty(Problems(Seen(Url) with { OutputFormat = null }));
        Assert.Empty(Problems(Seen(Url) with { OutputFormat = "json", Headers = ["X-Campaign"] }));
        Assert.Equal(
            [("format", "xml cannot be read by the app: choose form or json.")], Problems(Seen(Url) with { OutputFormat = "xml" }));
        Assert.Equal(
            [("headers", "'X-Campaign ' begins or ends with a space: no email has such a header. Enter it again.")],
            Problems(Seen(Url) with { Headers = ["X-Other", "X-Campaign "] }));
        Assert.Equal(
            [("users", "only events of 2 SMTP users come; those of others count as missing.")],
            Problems(Seen(Url) with { Usernames = ["a", "b"] }));
    }

    [Fact]
    public void Two_webhooks_may_share_the_work_but_not_do_it_twice()
    {
        var half = Seen(Url) with { Events = Nine[..4] };
        var other = Seen($"https://ingest.example/webhook/smtp2go_{Secret}") with { Events = Nine[4..] };

        Assert.Empty(Problems(half, other));
        Assert.Equal(
            [("twice", "2 webhooks lead there, so events come twice. They are stored once: keep one.")],
            Problems(half, other with { Events = Nine[3..] }));
    }

    [Fact]
    public async Task No_secret_of_any_URL_is_shown()
    {
        foreach (var url in new[]
        {
            Url, $"http://h.example/webhook/smtp2go_{Secret}", $"https://h.example/webhook/smtp2go?p={Secret}",
            $"https://h.example/{Secret}", $"https://u:{Secret}@h.example/other", $"https://smtp2go:12/{Secret}@h.example/webhook/smtp2go",
        })
        {
            await using var tool = await StartAsync(new Webhook(new Uri(url)), new Webhook(new Uri(url)));
            foreach (var format in new[] { "--utc", "--json" })
            {
                var run = await tool.RunAsync("check", "--smtp2go", format);

                Assert.DoesNotContain(Secret, run.Output + run.Error, StringComparison.Ordinal);
                Assert.Equal(1, run.ExitCode);
            }
        }
    }

    private static SeenWebhook Seen(string url) => new(url, Nine, [], [], "form", string.Empty);

    private static IEnumerable<(string What, string Detail)> Problems(params SeenWebhook[] webhooks) => WebhookCheck
        .Of([.. webhooks.Select(webhook => new OurWebhook(webhook, WebhookUrl.Of(webhook.Url)!))])
        .Where(found => !found.Ok)
        .Select(found => (found.What, found.Detail));

    private static async Task<IEnumerable<(string What, string Detail)>> ProblemsAsync(Smtp2GoTool tool, params string[] args)
    {
        var run = await tool.RunAsync(["check", "--smtp2go", "--json", .. args]);
        Assert.Equal(string.Empty, run.Error);
        Assert.DoesNotContain(Secret, run.Output, StringComparison.Ordinal);
        var problems = run.Json.Where(finding => !(bool)finding["ok"]!).ToList();
        Assert.Equal(problems.Count > 0 ? 1 : 0, run.ExitCode);
        return problems.Select(it =>
            (((string)it["check"]!).Replace("smtp2go ", null, StringComparison.Ordinal), (string)it["detail"]!));
    }

    private async Task<Smtp2GoTool> StartAsync(params Webhook[] webhooks)
    {
        var tool = await Smtp2GoTool.StartAsync(azurite.NewAccount(), new DateTimeOffset(2026, 5, 2, 0, 0, 0, TimeSpan.Zero), speed: 5);
        foreach (var webhook in webhooks)
        {
            tool.Account.AddWebhook(webhook);
        }

        return tool;
    }
}
