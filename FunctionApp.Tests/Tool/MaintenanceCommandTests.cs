using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Tool;

public sealed class MaintenanceCommandTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Purge_counts_first_asks_and_then_deletes_what_is_older()
    {
        var account = await StoredAsync(
            "event=open&id=1&email_id=old&rcpt=a@x.example&time=2024-05-01T10:00:00Z",
            "event=open&id=2&email_id=new&rcpt=a@x.example&time=2024-05-02T10:00:00Z");

        Assert.Equal("""{"events":1}""", await JsonAsync(account, "purge", "--before", "2024-05-02", "--dry-run"));
        Assert.Equal("""{"events":1}""", await JsonAsync(account, "purge", "--before", "2024-05-02", "--dry-run", "--yes"));
        AssertRefused(
            "This would delete 1 event for good. Add --yes to delete.\n", await RunAsync(account, "purge", "--before", "2024-05-02"));
        AssertNothing("No events found before 2024-05-01.\n", await RunAsync(account, "purge", "--before", "2024-05-01", "--yes"));
        Assert.Equal(2, (await IndexTests.RowsAsync(account, EventStore.TableName)).Count);

        Assert.Equal("""{"events":1}""", await JsonAsync(account, "purge", "--before", "2024-05-02", "--yes"));

        Assert.Equal("new", Assert.Single(await IndexTests.RowsAsync(account, EventStore.TableName)).PartitionKey);
        await IndexTests.AssertAgreeAsync(account);
    }

    [Theory]
    [InlineData("2999-01-01", "2999-01-01 is in the future.")]
    [InlineData("01/02/2024", "'01/02/2024' is not a date: write it as 2026-05-01.")]
    [InlineData("2024-5-1", "'2024-5-1' is not a date: write it as 2026-05-01.")]
    [InlineData("tomorrow", "'tomorrow' is not a date: write it as 2026-05-01.")]
    [InlineData("", "'' is not a date: write it as 2026-05-01.")]
    public async Task Purge_takes_a_date_as_the_other_commands_do(string date, string error) => AssertRefused(
        $"{error} See smtp2go-ingest purge --help.\n", await RunAsync(azurite.NewAccount(), "purge", "--yes", "--before", date));

    [Fact]
    public async Task Forget_asks_says_what_it_did_and_refuses_while_messages_wait()
    {
        var account = await StoredAsync(
            "event=open&id=1&email_id=e1&rcpt=grace@x.example",
            "event=processed&id=2&email_id=e2&recipients=grace@x.example,henk@x.example");
        var queue = new Azure.Storage.Queues.QueueClient(account, WebhookQueue.Name);
        await queue.SendMessageAsync("waiting", Test.Token);
        const string Counts = """{"deleted":1,"redacted":1,"indexRows":0,"deadLetters":0,"blobs":0,"blobsLeft":0}""";

        Assert.Equal(Counts, await JsonAsync(account, "forget", "Grace <Grace@X.example>", "--dry-run"));
        AssertRefused(
            "This would delete 1 event and redact 1, delete or redact 0 dead letters, and delete 0 index rows without an event and "
            + "0 stored bodies for good. Add --yes to forget the address.\n",
            await RunAsync(account, "forget", "Grace@X.example"));
        var waiting = await RunAsync(account, "forget", "Grace@X.example", "--yes");
        Assert.Equal(1, waiting.ExitCode);
        Assert.Contains("--force", waiting.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await IndexTests.RowsAsync(account, EventStore.TableName)).Count);

        Assert.Equal(Counts, await JsonAsync(account, "forget", "mailto:Grace@X.example", "--yes", "--force"));

        AssertNothing("Found nothing about 'grace@x.example'.\n", await RunAsync(account, "forget", "grace@x.example"));
        AssertNothing("Found nothing about 'grace@x.example'.\n", await RunAsync(account, "forget", "grace@x.example", "--yes", "--force"));
        await IndexTests.AssertAgreeAsync(account);
    }

    [Theory]
    [InlineData("grace")]
    [InlineData("")]
    [InlineData("grace@x.example, henk@x.example")]
    [InlineData("12345")]
    [InlineData("a\tb@x.example")]
    public async Task Forget_refuses_what_is_no_address(string text) => AssertRefused(
        $"'{text.Replace('\t', ' ')}' is not an email address or a telephone number with its country code. See smtp2go-ingest forget --help.\n",
        await RunAsync(azurite.NewAccount(), "forget", text, "--yes"));

    [Fact]
    public async Task Forget_takes_a_telephone_number()
    {
        var account = await StoredAsync("event=sms_delivered&id=1&message_id=s1&destination_number=%2B491512345678");

        Assert.Contains("\"deleted\":1,", await JsonAsync(account, "forget", "0049 (0)151 234-5678", "--yes"), StringComparison.Ordinal);

        Assert.Empty(await IndexTests.RowsAsync(account, EventStore.TableName));
    }

    [Fact]
    public async Task Reindex_and_reparse_say_how_much_they_did()
    {
        var account = await StoredAsync("event=open&id=1&email_id=e1&rcpt=a@x.example", "event=open&id=2&email_id=e2&rcpt=a@x.example");
        await new TableClient(account, EventIndex.ByDayTable).DeleteAsync(Test.Token);

        Assert.Equal("""{"events":2}""", await JsonAsync(account, "reindex"));
        Assert.Equal("""{"changed":0}""", await JsonAsync(account, "reparse"));

        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Dead_letters_are_replayed_by_reason_or_by_row()
    {
        var account = await StoredAsync("a=1", "b=2");
        var letters = await IndexTests.RowsAsync(account, DeadLetters.TableName);

        Assert.Equal(
            """{"replayed":1,"gone":0}""",
            await JsonAsync(account, "dead-letters", "replay", letters[0].PartitionKey, letters[0].RowKey));
        Assert.Equal("""{"replayed":2,"gone":0}""", await JsonAsync(account, "dead-letters", "replay", "--reason", "no-event"));
        Assert.Equal(3, (await RunAsync(account, "dead-letters", "replay", "--reason", "poison")).ExitCode);
        Assert.Equal(2, (await RunAsync(account, "dead-letters", "replay")).ExitCode);
        Assert.Equal(2, (await RunAsync(account, "dead-letters", "replay", letters[0].PartitionKey, "--reason", "no-event")).ExitCode);

        await using var app = await IngestApp.StartAsync(account);
        await app.DrainedAsync();
        Assert.Equal(letters.Select(row => row.RowKey).Order(), (await app.DeadLettersAsync()).Select(row => row.RowKey).Order());
    }

    [Fact]
    public async Task People_are_told_in_a_sentence()
    {
        var account = await StoredAsync("event=open&id=1&email_id=e1&rcpt=a@x.example&time=2024-05-01T10:00:00Z", "a=1", "b=2");
        var letter = (await IndexTests.RowsAsync(account, DeadLetters.TableName))[0];

        Assert.Equal("Would delete 1 event.\n", await SaidAsync("purge", "--before", "2024-05-02", "--dry-run"));
        Assert.Equal("Indexed 1 event.\n", await SaidAsync("reindex"));
        Assert.Equal("Changed 0 rows.\n", await SaidAsync("reparse"));
        Assert.Equal(
            "Replayed 1 dead letter. Skipped 0 whose body is gone.\n",
            await SaidAsync("dead-letters", "replay", letter.PartitionKey, letter.RowKey));
        Assert.Equal("Deleted 2 dead letters.\n", await SaidAsync("dead-letters", "drop", "--reason", "no-event", "--yes"));
        Assert.Equal(
            "Would delete 1 event and redact 0, delete or redact 0 dead letters, and delete 0 index rows without an event and "
            + "0 stored bodies.\n",
            await SaidAsync("forget", "a@x.example", "--dry-run"));
        Assert.Equal("Deleted 1 event.\n", await SaidAsync("purge", "--before", "2024-05-02", "--yes"));

        async Task<string> SaidAsync(params string[] args)
        {
            var run = await RunAsync(account, args);
            Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
            return run.Output;
        }
    }

    private static void AssertRefused(string error, ToolRun run) =>
        Assert.Equal((2, string.Empty, error), (run.ExitCode, run.Output, run.Error));

    private static void AssertNothing(string error, ToolRun run) =>
        Assert.Equal((3, string.Empty, error), (run.ExitCode, run.Output, run.Error));

    private async Task<string> StoredAsync(params string[] bodies)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
        return account;
    }

    private static Task<ToolRun> RunAsync(string account, params string[] args) => ToolRun.RunAsync(account, null, args);

    private static async Task<string> JsonAsync(string account, params string[] args)
    {
        var run = await RunAsync(account, ["--json", .. args]);
        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        return Assert.Single(run.Json).ToJsonString();
    }
}
