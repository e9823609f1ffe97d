using System.Globalization;
using System.Text.RegularExpressions;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What the command says, and which exit code it ends with. What is compared is tested without it.</summary>
public sealed partial class ReconcileCommandTests(AzuriteFixture azurite)
{
    private const string LeftOut =
        "Left out: everything since 2026-05-02 02:00 (UTC). SMTP2GO may still send it: --now includes it.\n";

    private static readonly DateTimeOffset Day = new(2026, 5, 2, 0, 0, 0, TimeSpan.Zero);

    private static readonly Smtp2GoEmail Email = new()
    {
        EmailId = "1wQ7Zk-FnQW0hPru7M-NRRC",
        Sender = "shop@example.com",
        Recipients = ["ada@example.org", "grace@example.org"],
        Subject = "Your order",
        Username = "api-0123456789ab",
    };

    // Two hours of the day are settled. Half an hour passes in no test.
    private static DateTimeOffset TwoHoursSettled => Day.AddHours(2 + 100).AddMinutes(20);

    [Fact]
    public async Task People_see_what_is_missing_the_books_and_a_sentence()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        await tool.StoreAsync(
            Webhook(Delivered(1)),
            "event=open&id=9&email_id=e9&rcpt=a@x.example&time=2026-05-02T01:00:00Z",
            "event=reject&email_id=Unavailable&rcpt=a@x.example&time=2026-05-02T01:00:00Z");
        tool.Account.Add(Processed(), Delivered(1), Delivered(2, "grace@example.org"), Bounced());

        var run = await tool.RunAsync("reconcile", "2026-05-02");

        Assert.Equal(
            """
            2026-05-02 01:10:00  processed  ada@example.org  grace@example.org
                1wQ7Zk-FnQW0hPru7M-NRRC
            2026-05-02 01:10:02  delivered  grace@example.org  1wQ7Zk-FnQW0hPru7M-NRRC
                250 OK
            2026-05-02 01:10:09  bounce (hard)  ada@example.org  1wQ7Zk-FnQW0hPru7M-NRRC
                550 5.1.1 user unknown

            2026-05-02 00:00 to 2026-05-02 02:00 (UTC)
            Event          In SMTP2GO  Stored  Missing  Surplus
            processed               1       0        1        0
            delivered               2       1        1        0
            bounce (hard)           1       0        1        0
            open                    0       1        0        1
            Total                   4       2        3        1

            Not compared: stored without an email_id  1

            Surplus: stored but not in SMTP2GO, which keeps events for 5 or 30 days unless
            you buy more.

            3 events are missing. Add --apply to fill them in.

            """,
            run.Output);
        Assert.Equal((1, LeftOut), (run.ExitCode, run.Error));
        Assert.Equal(0, await WaitingAsync(tool));
    }

    [Fact]
    public async Task What_SMTP2GO_no_longer_keeps_is_not_called_compared()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        await tool.StoreAsync("event=open&id=9&email_id=e9&rcpt=a@x.example&time=2026-05-02T00:10:00Z", Webhook(Delivered(1)));
        tool.Account.Add(Delivered(1));

        var run = await tool.RunAsync("reconcile", "2026-05-02");

        Assert.Contains(
            "SMTP2GO lists nothing before 2026-05-02 01:00 (UTC): events stored before that",
            run.Output,
            StringComparison.Ordinal);
        Assert.EndsWith("Nothing is missing since 2026-05-02 01:00 (UTC).\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_get_each_missing_event_and_then_the_books()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        await tool.StoreAsync(Webhook(Delivered(1)));
        tool.Account.Add(Delivered(1), Bounced());

        var run = await tool.RunAsync("reconcile", "2026-05-02", "--json");

        var (missing, books) = (run.Json[0], run.Json[1]);
        Assert.Equal((1, 2), (run.ExitCode, run.Json.Count));
        Assert.Equal(
            ("bounce", "hard", "2026-05-02T01:10:09Z", Email.EmailId, "ada@example.org", "activity"),
            ((string)missing["event"]!, (string)missing["bounce"]!, (string)missing["time"]!, (string)missing["email_id"]!,
                (string)missing["rcpt"]!, (string)missing["source"]!));
        Assert.Equal(
            """
            {"from":"2026-05-02T00:00:00Z","until":"2026-05-02T02:00:00Z","complete":true,"applied":false,"inSmtp2Go":2,"stored":1,
            "matched":1,"missing":1,"surplus":0,"filledIn":0,"superseded":0,"removed":0,"notComparable":{"testEvent":0,"noEmailId":0,
            "noEmailIdInSmtp2Go":0,"noRecipient":0,"sms":0,"unknownEvent":0},"unread":[],"kinds":[
            {"event":"delivered","bounce":null,"inSmtp2Go":1,"stored":1,"matched":1,"missing":0,"surplus":0},
            {"event":"bounce","bounce":"hard","inSmtp2Go":1,"stored":0,"matched":0,"missing":1,"surplus":0}]}
            """.ReplaceLineEndings(string.Empty),
            books.ToJsonString());
    }

    [Fact]
    public async Task Apply_fills_in_and_the_next_run_finds_nothing()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Processed(), Bounced());

        var applied = await tool.RunAsync("reconcile", "2026-05-02", "--apply");
        await tool.StoreAsync();
        var again = await tool.RunAsync("reconcile", "2026-05-02", "--apply", "--json");
        var shown = await tool.RunAsync("email", Email.EmailId);

        Assert.Equal(0, applied.ExitCode);
        Assert.Contains("\nFilled in  2\n", applied.Output, StringComparison.Ordinal);
        Assert.EndsWith(
            "\n2 events were missing and are filled in: in the queue now, stored within\n"
            + "seconds. Run it again with the same days to see.\n",
            applied.Output,
            StringComparison.Ordinal);
        Assert.Equal((0, 0, 0), (again.ExitCode, (int)again.Json.Single()["missing"]!, (int)again.Json.Single()["filledIn"]!));
        Assert.Contains("  processed (filled in)  ", shown.Output, StringComparison.Ordinal);
        Assert.Contains("  bounce (filled in)  ", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_come_after_all_is_removed_only_with_apply()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Bounced());
        await tool.RunAsync("reconcile", "2026-05-02", "--apply");
        await tool.StoreAsync(Webhook(Bounced()));

        var dry = await tool.RunAsync("reconcile", "2026-05-02");
        var rows = await RowsAsync(tool);
        var applied = await tool.RunAsync("reconcile", "2026-05-02", "--apply");

        Assert.Equal((0, 2), (dry.ExitCode, rows));
        Assert.Contains("\nFilled in earlier, to be removed: the webhook came  1\n", dry.Output, StringComparison.Ordinal);
        Assert.EndsWith("\nNothing is missing. Add --apply to remove what is there twice.\n", dry.Output, StringComparison.Ordinal);
        Assert.Contains("\nFilled in earlier, now removed: the webhook came  1\n", applied.Output, StringComparison.Ordinal);
        Assert.EndsWith("\nNothing is missing.\n", applied.Output, StringComparison.Ordinal);
        Assert.Equal((0, 1), (applied.ExitCode, await RowsAsync(tool)));
        await EndToEnd.IndexTests.AssertAgreeAsync(tool.Storage);
    }

    [Theory]
    [InlineData(2, "", "2026-05-01 to 2026-05-06 is already a range: leave out 2026-05-06.\n", "2026-05-01..2026-05-06", "2026-05-06")]
    [InlineData(2, "", "2026-05-02 is after 2026-05-01: give the first day first.", "2026-05-02", "2026-05-01")]
    [InlineData(2, "", "'soon' is not a day or a range of days: write today, ", "soon")]
    [InlineData(
        2, "", "No part of 2026-05-05 is older than 100 hours. SMTP2GO may still send it: --now includes it.\n", "2026-05-05")]
    [InlineData(2, "", "No part of 2026-05-07 is older than ten minutes.\n", "2026-05-07", "--now")]
    [InlineData(2, "", "'c' is one argument too many for 'reconcile'. See", "2026-05-01", "2026-05-02", "c")]
    [InlineData(2, "", "'0' is not a number between 1 and 1000000000. See", "2026-05-01", "--limit", "0")]
    public async Task Wrong_usage_is_one_line(int exitCode, string output, string error, params string[] args)
    {
        await using var tool = await StartAsync(TwoHoursSettled);

        var run = await tool.RunAsync(["reconcile", .. args]);

        Assert.Equal((exitCode, output), (run.ExitCode, run.Output));
        Assert.StartsWith(error, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(tool.Server.Calls);
    }

    [Theory]
    [InlineData(null, null, "Set Smtp2Go__ApiKey, in the environment or in local.settings.json, to an API key of your SMTP2GO account. ")]
    [InlineData("", null, "Set Smtp2Go__ApiKey, in the environment or in local.settings.json, ")]
    [InlineData(
        "api-secret-0123 456", null, "Smtp2Go__ApiKey contains a blank or a character outside printable ASCII: copy the key again.\n")]
    [InlineData(
        Smtp2GoTool.Key, "api.smtp2go.com", "Smtp2Go__ApiUrl is not the URL of an API: write it as https://api.smtp2go.com/v3.\n")]
    [InlineData(
        Smtp2GoTool.Key, "http://x.example/v3", "Smtp2Go__ApiUrl must begin with https://, or anybody in between could read the key.\n")]
    public async Task Settings_that_cannot_work_are_named(string? key, string? url, string error)
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        Dictionary<string, string?> settings = new() { ["Smtp2Go__ApiKey"] = key, ["Smtp2Go__ApiUrl"] = url };
        tool.Set(settings.Where(it => it.Value is not null).ToDictionary(it => it.Key, it => it.Value!));

        var run = await tool.RunAsync("reconcile", "2026-05-01");

        Assert.Equal((2, string.Empty), (run.ExitCode, run.Output));
        Assert.StartsWith(error, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_day_it_is_the_newest_one_that_is_settled()
    {
        await using var tool = await StartAsync(TwoHoursSettled);

        Assert.Equal("2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z", await ComparedAsync(tool));
        Assert.Equal("2026-05-01T00:00:00Z to 2026-05-02T02:00:00Z", await ComparedAsync(tool, "2026-05-01", "2026-05-02"));
        Assert.Equal("2026-05-01T00:00:00Z to 2026-05-02T02:00:00Z", await ComparedAsync(tool, "2026-05-01..2026-05-03"));
    }

    [Fact]
    public async Task Now_includes_all_but_ten_minutes()
    {
        await using var tool = await StartAsync(Day.AddHours(2).AddMinutes(30));
        tool.Account.Add(Bounced());

        var run = await tool.RunAsync("reconcile", "--now", "--json");

        Assert.Equal((1, 1), (run.ExitCode, (int)run.Json[^1]["missing"]!));
        Assert.Equal("2026-05-02T00:00:00Z", (string?)run.Json[^1]["from"]);
        var until = DateTimeOffset.Parse((string)run.Json[^1]["until"]!, CultureInfo.InvariantCulture);
        Assert.InRange(until, Day.AddHours(2).AddMinutes(20), Day.AddHours(2).AddMinutes(40));
        Assert.Equal(
            $"Left out: everything since {until:yyyy-MM-dd HH:mm} (UTC). SMTP2GO may not list it yet.\n", run.Error);
    }

    [Fact]
    public async Task A_limit_is_for_the_list_and_not_for_the_books()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Processed(), Delivered(1), Bounced());

        var drawn = await tool.RunAsync("reconcile", "2026-05-02", "--limit", "1");
        var json = await tool.RunAsync("reconcile", "2026-05-02", "--limit", "1", "--json");

        Assert.Contains("\n… and 2 more\n", drawn.Output, StringComparison.Ordinal);
        Assert.EndsWith("\n3 events are missing. Add --apply to fill them in.\n", drawn.Output, StringComparison.Ordinal);
        Assert.Equal((2, 3), (json.Json.Count, (int)json.Json[1]["missing"]!));
    }

    [Fact]
    public async Task One_event_is_not_several()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Bounced());

        Assert.EndsWith(
            "\n1 event is missing. Add --apply to fill it in.\n",
            (await tool.RunAsync("reconcile", "2026-05-02")).Output,
            StringComparison.Ordinal);
        Assert.Contains(
            "\n1 event was missing and is filled in: in the queue now, stored within seconds.\n",
            (await tool.RunAsync("reconcile", "2026-05-02", "--apply")).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task That_SMTP2GO_lists_nothing_at_all_is_no_proof()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        var empty = await tool.RunAsync("reconcile", "2026-05-02");
        await tool.StoreAsync(Webhook(Bounced()));

        var forgotten = await tool.RunAsync("reconcile", "2026-05-02");

        Assert.Equal(0, empty.ExitCode);
        Assert.EndsWith("\nSMTP2GO lists no events in this time, and none are stored.\n", empty.Output, StringComparison.Ordinal);
        Assert.Equal(1, forgotten.ExitCode);
        Assert.Contains("\nSMTP2GO lists no events at all, so nothing was compared: ", forgotten.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_hour_that_could_not_be_read_is_named()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Server.Faults.Enqueue(new ApiFault(200, """{"data":{"events":[],"total_events":1}}"""), 10_000);

        var run = await tool.RunAsync("reconcile", "2026-05-02", "--apply");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(
            "\nNot read, because SMTP2GO listed these hours differently each time: 2026-05-02\n00:00 (UTC), 2026-05-02 01:00 (UTC).\n",
            run.Output,
            StringComparison.Ordinal);
        Assert.EndsWith(
            "\nNothing is missing in the hours that could be read. 2 hours could not be read:\nrun it again.\n",
            run.Output,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "1 message in the queues: their events count as missing until they are stored.\n")]
    [InlineData(
        true,
        "1 message in the queues: their events count as missing until they are stored. "
        + "The next run with --apply removes what was filled in too early.\n")]
    public async Task Waiting_messages_are_told(bool isApplied, string told)
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        var queue = new Azure.Storage.Queues.QueueClient(tool.Storage, WebhookQueue.Name);
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("waiting", Test.Token);

        var run = await tool.RunAsync(["reconcile", "2026-05-02", .. isApplied ? ["--apply"] : (string[])[]]);

        Assert.Equal((0, LeftOut + told), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("SMTP2GO does not accept the API key. Check Smtp2Go__ApiKey.\n", "another")]
    [InlineData("The API key may not call /activity/search. Give it that permission in SMTP2GO, or use another key in Smtp2Go__ApiKey.\n")]
    public async Task A_refusal_of_SMTP2GO_is_one_line(string error, string? key = null)
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Keys.Clear();
        tool.Account.Keys.Add(new ApiKey(key ?? Smtp2GoTool.Key, "/webhook/view"));

        var run = await tool.RunAsync("reconcile", "2026-05-01");

        Assert.Equal((1, string.Empty, error), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData("<html>Please sign in</html>")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"data\":{\"events\":[],\"total_events\":\"soon\"}}")]
    [InlineData("{\"data\":{\"events\":{},\"total_events\":0}}")]
    [InlineData("{\"data\":{\"events\":[{\"subject\":")]
    public async Task An_odd_answer_of_SMTP2GO_is_one_line(string body)
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Server.Faults.Enqueue(new ApiFault(200, body));

        var run = await tool.RunAsync("reconcile", "2026-05-01");

        Assert.Equal((1, string.Empty), (run.ExitCode, run.Output));
        Assert.Equal(
            "SMTP2GO gave an answer that cannot be read. Check Smtp2Go__ApiUrl, and that no proxy answers in SMTP2GO's place.\n",
            run.Error);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"email_id\":{}}")]
    [InlineData("{\"event\":\"postponed\",\"email_id\":\"1wQ7Zk-FnQW0hPru7M-NRRC\",\"date\":\"2026-05-02T00:00:01Z\"}")]
    [InlineData("{\"event\":\"delivered\",\"email_id\":\"a\\ud800\",\"subject\":\"\\udc00\",\"date\":\"2026-05-02T99:00:01Z\"}")]
    public async Task An_odd_event_of_SMTP2GO_is_counted_and_nothing_else(string json)
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Server.Faults.Enqueue(new ApiFault(200, $$$"""{"data":{"events":[{{{json}}}],"total_events":1,"continue_token":null}}"""));

        var run = await tool.RunAsync("reconcile", "2026-05-02");

        Assert.Equal((0, LeftOut), (run.ExitCode, run.Error));
        Assert.Contains("\nNot compared: not known to this version  1\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_event_says_does_not_steer_the_terminal()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Event(1, Smtp2GoEventKind.Rejected, "a\u001b[2J@x.example", "no\u202e\r\n\u0007", null));

        foreach (var format in new[] { "--utc", "--json" })
        {
            var run = await tool.RunAsync("reconcile", "2026-05-02", format);

            Assert.Equal(1, run.ExitCode);
            Assert.All(run.Output, c => Assert.True(c == '\n' || PlainText.Of($"{c}") == $"{c}", $"{(int)c:x4}"));
        }
    }

    [Fact]
    public async Task Progress_says_how_far_it_is_and_that_it_waits()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.IsInteractive = true;
        tool.Account.Add(Early());
        tool.Server.Faults.Enqueue(ApiFault.Slow(TimeSpan.FromSeconds(5)));
        tool.Server.Faults.Enqueue(ApiFault.TooManyCalls);

        var run = await tool.RunAsync("reconcile", "2026-05-01", "2026-05-02");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith(LeftOut + "\r", run.Error, StringComparison.Ordinal);
        var frames = run.Error[LeftOut.Length..].Split('\r');
        Assert.Contains(frames, frame => NoHour().IsMatch(frame));
        Assert.Contains(
            frames,
            frame => frame.StartsWith(
                "22 hours of 26, 1 missing, waiting: SMTP2GO allows no more calls for now (429)", StringComparison.Ordinal));
        Assert.All(frames, frame => Assert.InRange(frame.Length, 0, 79));
        Assert.Equal((string.Empty, string.Empty), (frames[^2].Trim(), frames[^1]));
    }

    [Fact]
    public async Task Interrupted_it_tells_what_it_knows_and_running_it_again_completes_it()
    {
        await using var tool = await StartAsync(Day.AddDays(6));
        tool.IsInteractive = true;
        tool.Account.Add(Early(), Later());
        tool.Server.Faults.Enqueue(ApiFault.Slow(TimeSpan.Zero));
        tool.Server.Faults.Enqueue(ApiFault.TooManyCalls);
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        tool.Watch = text =>
        {
            if (text.Contains("\r22 hours of 48, 1 missing, waiting: ", StringComparison.Ordinal))
            {
                interrupt.Cancel();
            }
        };

        var cut = await tool.RunAsync(interrupt.Token, "reconcile", "2026-05-01..2026-05-02", "--apply", "--json");
        var again = await tool.RunAsync("reconcile", "2026-05-01..2026-05-02", "--apply");
        await tool.StoreAsync();
        tool.IsInteractive = false;
        var last = await tool.RunAsync("reconcile", "2026-05-01..2026-05-02");

        Assert.Equal((1, 2), (cut.ExitCode, cut.Json.Count));
        Assert.Equal((false, 1), ((bool)cut.Json[1]["complete"]!, (int)cut.Json[1]["filledIn"]!));
        Assert.EndsWith("\rInterrupted. Not compared: everything since 2026-05-01 22:00 (UTC).\n", cut.Error, StringComparison.Ordinal);
        Assert.Equal(0, again.ExitCode);
        Assert.Equal((0, string.Empty), (last.ExitCode, last.Error));
        Assert.EndsWith("\nNothing is missing.\n", last.Output, StringComparison.Ordinal);
        Assert.Equal(2, await RowsAsync(tool));
    }

    [Fact]
    public async Task Interrupted_at_once_it_says_no_more_than_that()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Server.Faults.Enqueue(ApiFault.TooManyCalls, 100);
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        interrupt.CancelAfter(TimeSpan.FromSeconds(1));

        var run = await tool.RunAsync(interrupt.Token, "reconcile", "2026-05-01");

        Assert.Equal((1, string.Empty, "Interrupted.\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task A_failure_on_the_way_does_not_cost_what_is_known()
    {
        await using var tool = await StartAsync(TwoHoursSettled);
        tool.Account.Add(Early());
        tool.Server.Faults.Enqueue(ApiFault.Slow(TimeSpan.Zero));
        tool.Server.Faults.Enqueue(new ApiFault(404));

        var run = await tool.RunAsync("reconcile", "2026-05-01", "2026-05-02");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith(
            "Time (UTC)           Event  Recipient        Email\n2026-05-01 02:00:07  spam   ada@example.org  1wQ7",
            run.Output,
            StringComparison.Ordinal);
        Assert.Contains("\n2026-05-01 00:00 to 2026-05-01 22:00 (UTC)\n", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Add --apply", run.Output, StringComparison.Ordinal);
        Assert.EndsWith(
            " status 404. Not compared: everything since 2026-05-01 22:00 (UTC).\n", run.Error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^0 hours of 26, 0 missing, \d calls? *$", RegexOptions.NonBacktracking)]
    private static partial Regex NoHour();

    private static Smtp2GoEvent Processed() => Event(0, Smtp2GoEventKind.Processed, null, null);

    private static Smtp2GoEvent Delivered(int id, string recipient = "ada@example.org") =>
        Event(id, Smtp2GoEventKind.Delivered, recipient, "250 OK");

    private static Smtp2GoEvent Bounced() => Event(9, Smtp2GoEventKind.HardBounced, "ada@example.org", "550 5.1.1 user unknown");

    private static Smtp2GoEvent Early() => Event(7, Smtp2GoEventKind.Spam, "ada@example.org", null, TimeSpan.FromHours(-22));

    private static Smtp2GoEvent Later() =>
        Event(8, Smtp2GoEventKind.Opened, "grace@example.org", null, TimeSpan.FromHours(22));

    private static Smtp2GoEvent Event(
        int id, Smtp2GoEventKind kind, string? recipient, string? says, TimeSpan? after = null) => new()
        {
            Id = id.ToString("x32", CultureInfo.InvariantCulture),
            Email = Email,
            Kind = kind,
            Date = Day + (after ?? TimeSpan.FromMinutes(70)) + TimeSpan.FromSeconds(id),
            Recipient = recipient,
            SmtpResponse = says,
            Host = "203.0.113.22",
        };

    // As far as it is compared.
    private static string Webhook(Smtp2GoEvent e) =>
        $"event={EventNames.OfWebhook(e.Kind)}&bounce=hard&id={e.Id}&email_id={e.Email.EmailId}&rcpt={e.Recipient}"
        + $"&time={e.Date:yyyy-MM-ddTHH:mm:ssZ}";

    private static async Task<string> ComparedAsync(Smtp2GoTool tool, params string[] days)
    {
        var run = await tool.RunAsync(["reconcile", "--json", .. days]);
        Assert.Equal(0, run.ExitCode);
        return $"{run.Json.Single()["from"]} to {run.Json.Single()["until"]}";
    }

    private static async Task<int> RowsAsync(Smtp2GoTool tool) =>
        (await EndToEnd.IndexTests.RowsAsync(tool.Storage, EventStore.TableName)).Count;

    private static async Task<int> WaitingAsync(Smtp2GoTool tool) =>
        (await new Azure.Storage.Queues.QueueClient(tool.Storage, WebhookQueue.Name).GetPropertiesAsync(Test.Token))
        .Value.ApproximateMessagesCount;

    private Task<Smtp2GoTool> StartAsync(DateTimeOffset now) => Smtp2GoTool.StartAsync(azurite.NewAccount(), now, speed: 30);
}
