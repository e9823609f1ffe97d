using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;

namespace Smtp2GoIngest.Tests.Tool;

public sealed class DeadLetterTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task No_dead_letters_is_an_answer_and_not_a_failure()
    {
        var account = azurite.NewAccount();

        Assert.Equal(new ToolRun(0, "No dead letters.\n", string.Empty), await RunAsync(account, "dead-letters", "list"));
        Assert.Equal(
            new ToolRun(0, "No dead letters with reason poison.\n", string.Empty),
            await RunAsync(account, "dead-letters", "list", "--reason", "poison"));
        Assert.Equal(new ToolRun(0, string.Empty, string.Empty), await RunAsync(account, "dead-letters", "list", "--json"));
    }

    [Fact]
    public async Task A_list_is_by_reason_with_id_age_size_and_error()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            Row("a", "no-event", "Body", "xé"),
            Row("b", "conflict", "Body", new string('x', 2_600)),
            Row("c", "no-event", "BodyBlob", "gone"));

        var run = await ToolRun.RunAsync(account, new DateTimeOffset(2026, 5, 3, 9, 0, 0, TimeSpan.Zero), "dead-letters", "list");
        var limited = await RunAsync(account, "dead-letters", "list", "--limit", "1");
        var json = await RunAsync(account, "dead-letters", "list", "--limit", "1", "--json");

        Assert.Equal(
            $"""
            conflict: 1 dead letter
            Id         Age  Body  Error
            {Id("b")}  24 h  3 kB  Why b.

            no-event: 2 dead letters
            Id         Age  Body  Error
            {Id("a")}  24 h   3 B  Why a.
            {Id("c")}  24 h  gone  Why c.

            """,
            run.Output);
        Assert.EndsWith("… and 1 more\n", limited.Output, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], json.Json.Select(row => (string)row["RowKey"]!));
    }

    [Fact]
    public async Task One_is_named_by_its_id_by_the_start_of_it_or_by_day_and_row()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, [.. Enumerable.Range(0, 60).Select(i => Row($"{i}", "no-event", "Body", $"n={i}"))]);
        var key = new DeadLetterKey("2026-05-02", "7");

        Assert.All(
            [
                await RunAsync(account, "dead-letters", "show", key.Id, "--json"),
                await RunAsync(account, "dead-letters", "show", key.ShortId.ToUpperInvariant(), "--json"),
                await RunAsync(account, "dead-letters", "show", key.Id[..4], "--json"),
                await RunAsync(account, "dead-letters", "show", key.Day, key.Row, "--json"),
                await RunAsync(account, "dead-letters", "show", $" {key.ShortId}\n", "--json"),
                await RunAsync(account, "dead-letters", "show", $"{key.Day} ", $" {key.Row}", "--json"),
            ],
            run => Assert.Equal(("n=7", key.Id), ((string?)Assert.Single(run.Json)["Body"], (string?)run.Json[0]["Id"])));
        var list = await RunAsync(account, "dead-letters", "list", "--json");
        Assert.Equal(key.Id, (string?)list.Json.Single(row => (string?)row["RowKey"] == "7")["Id"]);
    }

    [Fact]
    public async Task A_start_that_matches_several_is_refused_with_their_count_and_nothing_is_deleted()
    {
        var account = azurite.NewAccount();
        var rows = Enumerable
            .Range(0, 600)
            .Select(i => $"{i}")
            .GroupBy(row => Key(row).Id[..4])
            .First(group => group.Count() == 2)
            .ToList();
        await StoreAsync(account, [.. rows.Append("x").Select(row => Row(row, "no-event", "Body", row))]);

        var ambiguous = await RunAsync(account, "dead-letters", "drop", Key("x").Id, Key(rows[0]).Id[..4], "--yes");
        var unknown = await RunAsync(account, "dead-letters", "drop", Key("x").Id, "0000000000000000", "--yes");

        var ids = string.Join(", ", rows.Order(StringComparer.Ordinal).Select(row => Key(row).Id));
        Assert.Equal(
            (2, $"'{Key(rows[0]).Id[..4]}' matches 2 dead letters: {ids}. Give more digits.\n"), (ambiguous.ExitCode, ambiguous.Error));
        Assert.Equal(3, unknown.ExitCode);
        Assert.Equal(3, (await RunAsync(account, "dead-letters", "list", "--json")).Json.Count);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("not-an-id")]
    [InlineData("2026-05-02")]
    [InlineData]
    [InlineData("abcd1234", "--reason", "poison")]
    [InlineData("--reason", "no-evnt")]
    public async Task Not_naming_any_dead_letter_properly_is_wrong_usage(params string[] args)
    {
        var run = await RunAsync(azurite.NewAccount(), ["dead-letters", "drop", "--yes", .. args]);

        Assert.Equal((2, string.Empty), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Dropping_asks_first_and_drops_what_it_named()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "no-event", "Body", "a"), Row("b", "no-event", "Body", "b"), Row("c", "conflict", "Body", "c"));

        var asked = await RunAsync(account, "dead-letters", "drop", Key("a").ShortId);
        Assert.Equal(
            new ToolRun(2, "Dead letters to delete  1\n", "Nothing was changed. Add --yes to delete this for good.\n"), asked);
        Assert.Equal(3, (await RunAsync(account, "dead-letters", "list", "--json")).Json.Count);

        Assert.Equal("Dead letters deleted  1\n", (await RunAsync(account, "dead-letters", "drop", Key("a").ShortId, "--yes")).Output);
        Assert.Equal(3, (await RunAsync(account, "dead-letters", "drop", Key("a").Day, "a", "--yes")).ExitCode);
        Assert.Equal(1, (int)(await RunAsync(account, "dead-letters", "drop", Key("b").Day, "b", "--yes", "--json")).Json[0]["dropped"]!);
        Assert.Equal("c", (string?)Assert.Single((await RunAsync(account, "dead-letters", "list", "--json")).Json)["RowKey"]);
    }

    [Fact]
    public async Task All_with_one_reason_are_dropped_beyond_one_page_and_no_others()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account, [.. Enumerable.Range(0, 1_200).Select(i => Row($"{i:0000}", i % 12 == 0 ? "conflict" : "poison", "Body", "x"))]);

        var list = await RunAsync(account, "dead-letters", "list", "--json");
        var drop = await RunAsync(account, "dead-letters", "drop", "--reason", "poison", "--yes", "--json");
        var left = await RunAsync(account, "dead-letters", "list", "--json");

        Assert.Equal((1_200, 1_100, 100), (list.Json.Count, (int)drop.Json[0]["dropped"]!, left.Json.Count));
        Assert.All(left.Json, letter => Assert.Equal("conflict", (string?)letter["Reason"]));
    }

    [Fact]
    public async Task A_body_is_shown_in_readable_form_and_exactly_with_json()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            Row("form", "no-event", "Body", "rcpt=a%40x.example&subject=two+words%1b[2J"),
            Row("json", "no-event", "Body", """{"a":[1,"é"],"a":2}"""),
            Row("text", "unparsable", "Body", "one = 1\r\ntwo\u202e"),
            Row("gone", "blob-missing", "BodyBlob", new string('0', 64)));

        Assert.EndsWith("\n\nrcpt     a@x.example\nsubject  two words [2J\n", await ShownAsync("form"), StringComparison.Ordinal);
        Assert.EndsWith("\n\n{\n  \"a\": [\n    1,\n    \"é\"\n  ],\n  \"a\": 2\n}\n", await ShownAsync("json"), StringComparison.Ordinal);
        Assert.EndsWith("\n\none = 1\ntwo \n", await ShownAsync("text"), StringComparison.Ordinal);
        Assert.EndsWith("\n\nThe body is gone.\n", await ShownAsync("gone"), StringComparison.Ordinal);
        Assert.Equal(
            "one = 1\r\ntwo\u202e", (string?)(await RunAsync(account, "dead-letters", "show", Key("text").Id, "--json")).Json[0]["Body"]);

        async Task<string> ShownAsync(string row) => (await RunAsync(account, "dead-letters", "show", Key(row).ShortId)).Output;
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(200)]
    public async Task A_body_of_any_kind_fits_the_terminal_and_loses_nothing(int width)
    {
        var account = azurite.NewAccount();
        var words = string.Join(' ', Enumerable.Range(1_000, 100));
        var (longWord, wide) = (new string('x', 315), new string('\u7528', 150));
        await StoreAsync(
            account,
            Row("form", "no-event", "Body", $"subject={words.Replace(' ', '+')}&url={longWord}&wide={wide}"),
            Row("name", "no-event", "Body", $"{longWord}=1&{wide}=2&rcpt={words.Replace(' ', '+')}"),
            Row("json", "no-event", "Body", $$"""{"a":{"b":["{{words}}","{{longWord}}","{{wide}}"] } }"""),
            Row("text", "unparsable", "Body", $"{words}\r\n{longWord}\n\t{wide}"));

        foreach (var row in (string[])["form", "name", "json", "text"])
        {
            var run = await ToolRun.RunAsync(
                ["--connection", account, "dead-letters", "show", Key(row).Id], null, AppContext.BaseDirectory, width);
            Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.GetCellWidth(), 0, width));
            var glued = run.Output.Replace("\n", string.Empty).Replace(" ", string.Empty);
            Assert.All([longWord, wide, words.Replace(" ", string.Empty)], text => Assert.Contains(text, glued, StringComparison.Ordinal));
        }

        // A file or another program gets the lines as they are.
        Assert.Contains($"\n{words}\n{longWord}\n", (await RunAsync(account, "dead-letters", "show", Key("text").Id)).Output);
    }

    [Fact]
    public async Task A_large_body_is_in_its_blob_and_shown_whole()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var big = $"rcpt=big@example.org&filler={new string('x', 40_000)}";
        await app.AcknowledgedAsync(big);
        await app.DrainedAsync();
        var letter = Assert.Single((await RunAsync(account, "dead-letters", "list", "--json")).Json);

        var shown = await RunAsync(account, "dead-letters", "show", (string)letter["Id"]!, "--json");

        Assert.Equal(big, (string?)Assert.Single(shown.Json)["Body"]);
        Assert.Contains("  40 kB  ", (await RunAsync(account, "dead-letters", "list")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_says_what_became_of_each()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("no=event");
        await app.DrainedAsync();
        var failing = Assert.Single(await app.DeadLettersAsync());
        await StoreAsync(
            account,
            Row("good", "poison", "Body", "event=open&id=1&email_id=e1&rcpt=a@x.example"),
            Row("gone", "blob-missing", "BodyBlob", new string('0', 64)));
        var good = await RunAsync(account, "dead-letters", "replay", Key("good").ShortId);
        var others = await RunAsync(
            account, "dead-letters", "replay", DeadLetterKey.Of(failing).ShortId, Key("gone").ShortId, "--json");

        Assert.Equal(0, good.ExitCode);
        Assert.Contains($"{Id("good")}  stored   email e1\n", good.Output, StringComparison.Ordinal);
        Assert.Contains("\nStored                  1\n", good.Output, StringComparison.Ordinal);
        Assert.Equal(1, others.ExitCode);
        Assert.Equal(
            ["bodyGone", "failedAgain"], others.Json.Take(2).Select(line => (string?)line["outcome"]).Order(StringComparer.Ordinal));
        var failed = others.Json.Single(line => (string?)line["outcome"] == "failedAgain");
        Assert.StartsWith("no-event: ", (string?)failed["detail"], StringComparison.Ordinal);
        Assert.Equal(
            """{"stored":0,"failedAgain":1,"waiting":0,"sentBack":0,"bodyGone":1,"dropped":0}""", others.Json[2].ToJsonString());
        Assert.Equal("e1", Assert.Single(await app.EventsAsync()).PartitionKey);
        Assert.DoesNotContain(await app.DeadLettersAsync(), row => row.RowKey == "good");
    }

    [Fact]
    public async Task A_replay_that_nobody_picks_up_is_still_waiting_when_the_time_is_up()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "poison", "Body", "event=open&id=1&email_id=e1"));

        var run = await RunAsync(account, "dead-letters", "replay", Key("a").ShortId, "--timeout", "1", "--json");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Is the app running?", run.Error, StringComparison.Ordinal);
        Assert.Equal("waiting", (string?)run.Json[0]["outcome"]);
        Assert.Equal(1, (await new QueueClient(account, WebhookQueue.Name).GetPropertiesAsync(Test.Token)).Value.ApproximateMessagesCount);
    }

    [Fact]
    public async Task Storage_that_never_answers_does_not_hold_up_the_end_of_the_wait()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var watch = new ReplayWatch(
            new TableServiceClient($"AccountName=a;AccountKey=a2V5;TableEndpoint=http://{silent.LocalEndpoint}/a;"), TimeProvider.System);

        var outcomes = await watch
            .WatchAsync([.. Enumerable.Range(0, 50).Select(i => new ReplayedLetter(Key($"{i}"), default, null, null))],
                TimeSpan.FromSeconds(1),
                Test.Token)
            .ToListAsync(Test.Token)
            .AsTask()
            .WaitAsync(TimeSpan.FromSeconds(30), Test.Token); // A call gives up after 100 seconds.

        Assert.Equal(50, outcomes.Count(outcome => outcome.Result == ReplayResult.Waiting));
    }

    [Fact]
    public async Task A_dead_letter_that_somebody_drops_in_the_meantime_is_not_reported_as_stored()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "poison", "Body", "event=open&id=1&email_id=e1"));
        var table = new TableClient(account, DeadLetters.TableName);

        var replay = RunAsync(account, "dead-letters", "replay", Key("a").ShortId, "--timeout", "30", "--json");
        var queues = new QueueServiceClient(account).GetQueuesAsync(cancellationToken: Test.Token);
        await Eventually.Get(async () => await queues.CountAsync(), count => count > 0);
        await table.DeleteEntityAsync(Key("a").Day, "a", cancellationToken: Test.Token);

        var run = await replay;
        Assert.Equal((1, "dropped"), (run.ExitCode, (string?)run.Json[0]["outcome"]));
    }

    [Fact]
    public async Task Without_waiting_it_only_says_how_many_are_in_the_queue_again()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            Row("a", "poison", "Body", "event=open&id=1"),
            Row("b", "unreadable", "Body", "text"),
            Row("c", "poison", "BodyBlob", new string('0', 64)));

        var run = await RunAsync(account, "dead-letters", "replay", Key("a").Id, Key("b").Id, Key("c").Id, "--no-wait", "--json");

        Assert.Equal((1, """{"replayed":2,"bodyGone":1,"dropped":0}"""), (run.ExitCode, Assert.Single(run.Json).ToJsonString()));
        Assert.Equal(3, (await RunAsync(account, "dead-letters", "replay", "--reason", "conflict")).ExitCode);
        Assert.Equal(0, (await RunAsync(account, "dead-letters", "replay", Key("a").Id, "--no-wait")).ExitCode);
    }

    [Fact]
    public async Task A_replay_fails_if_nothing_is_stored_because_the_body_is_gone()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "blob-missing", "BodyBlob", new string('0', 64)));

        var run = await RunAsync(account, "dead-letters", "replay", Key("a").ShortId);

        Assert.Equal((1, string.Empty), (run.ExitCode, run.Error));
        Assert.Contains($"{Id("a")}  body gone  Its body is gone.\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_text_of_a_message_is_sent_back_as_it_is_and_nobody_says_that_it_is_stored()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "unreadable", "Body", "text"));

        var run = await RunAsync(account, "dead-letters", "replay", Key("a").ShortId, "--json");

        Assert.Equal((1, "sentBack"), (run.ExitCode, (string?)run.Json[0]["outcome"]));
        Assert.Equal("text", (await new QueueClient(account, WebhookQueue.Name).PeekMessageAsync(Test.Token)).Value.Body.ToString());
        Assert.Empty((await RunAsync(account, "dead-letters", "list", "--json")).Json);
    }

    [Fact]
    public async Task A_replay_that_is_interrupted_says_what_it_knows()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            Row("a", "poison", "Body", "event=open&id=1&email_id=e1"),
            Row("b", "blob-missing", "BodyBlob", new string('0', 64)));
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        var (output, error) = (new StringWriter(), new StringWriter());
        var replay = Smtp2GoIngest.Tool.Program.RunAsync(
            ["--connection", account, "dead-letters", "replay", Key("a").ShortId, Key("b").ShortId, "--json"],
            new CommandContext(output, error, AppContext.BaseDirectory) { IsInteractive = false },
            interrupt.Token);
        var queue = new QueueClient(account, WebhookQueue.Name);
        await Eventually.Get(
            async () => await queue.ExistsAsync(Test.Token) ? (await queue.PeekMessagesAsync(1, Test.Token)).Value.Length : 0,
            count => count > 0);
        await Task.Delay(1_000, Test.Token);
        await interrupt.CancelAsync();

        Assert.Equal(1, await replay);
        Assert.Equal("Interrupted.\n", error.ToString());
        Assert.Contains("""{"stored":0,"failedAgain":0,"waiting":1,"sentBack":0,"bodyGone":1,"dropped":0}""", output.ToString());
    }

    [Fact]
    public async Task A_storage_failure_comes_after_what_is_known()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account, Row("a", "poison", "Body", "event=open&id=1&email_id=e1"));
        var service = new TableServiceClient(account.Replace("AccountKey=a2V5", "AccountKey=d3Jvbmc=", StringComparison.Ordinal));
        var watch = new ReplayWatch(service, TimeProvider.System);

        await Assert.ThrowsAsync<Azure.RequestFailedException>(async () => await watch
            .WatchAsync([new ReplayedLetter(Key("a"), default, null, null)], TimeSpan.FromMinutes(1), Test.Token)
            .ToListAsync(Test.Token));
    }

    private static DeadLetterKey Key(string row) => new("2026-05-02", row);

    private static string Id(string row) => Key(row).ShortId;

    private static TableEntity Row(string row, string reason, string column, string body) => new(Key(row).Day, row)
    {
        ["Reason"] = reason,
        ["Error"] = $"Why {row}.",
        ["ReceivedAt"] = new DateTimeOffset(2026, 5, 2, 9, 0, 0, TimeSpan.Zero),
        ["WebhookId"] = row,
        ["ContentType"] = "text/plain",
        [column] = body,
    };

    private static async Task StoreAsync(string account, params TableEntity[] rows)
    {
        var table = new TableClient(account, DeadLetters.TableName);
        await table.CreateIfNotExistsAsync(Test.Token);
        Assert.All(await table.WriteAsync(TableTransactionActionType.Add, [.. rows], Test.Token), Assert.Null);
    }

    private static Task<ToolRun> RunAsync(string account, params string[] args) => ToolRun.RunAsync(account, null, args);
}
