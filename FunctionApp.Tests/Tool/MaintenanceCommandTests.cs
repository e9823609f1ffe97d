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
        AssertAsked("Events to delete  1\n", await RunAsync(account, "purge", "--before", "2024-05-02"));
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
    public async Task Purge_accepts_a_date_as_the_other_commands_do(string date, string error) => AssertRefused(
        $"{error} See smtp2go-ingest purge --help.\n", await RunAsync(azurite.NewAccount(), "purge", "--yes", "--before", date));

    [Fact]
    public async Task Forget_asks_says_what_it_did_and_refuses_while_messages_wait()
    {
        var account = await StoredAsync(
            "event=open&id=1&email_id=e1&rcpt=grace@x.example",
            "event=processed&id=2&email_id=e2&recipients=grace@x.example,henk@x.example");
        var queue = new Azure.Storage.Queues.QueueClient(account, WebhookQueue.Name);
        await queue.SendMessageAsync("waiting", Test.Token);
        const string Counts = """{"deleted":1,"redacted":1,"indexRows":0,"recipients":0,"deadLetters":0,"blobs":0,"blobsLeft":0}""";

        Assert.Equal(Counts, await JsonAsync(account, "forget", "Grace <Grace@X.example>", "--dry-run"));
        AssertAsked(
            """
            Events to delete                          1
            Events to redact                          1
            Index rows without an event to delete     0
            Recipient states to delete                0
            Dead letters to delete or redact          0
            Stored bodies to delete                   0
            Stored bodies kept: run this again later  0

            """,
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
    public async Task Forget_refuses_what_is_not_an_address(string text) => AssertRefused(
        $"'{text.Replace('\t', ' ')}' is not an email address or a telephone number with its country code. "
        + "See smtp2go-ingest forget --help.\n",
        await RunAsync(azurite.NewAccount(), "forget", text, "--yes"));

    [Fact]
    public async Task Forget_accepts_a_telephone_number()
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
    public async Task People_are_told_one_figure_per_line()
    {
        var account = await StoredAsync("event=open&id=1&email_id=e1&rcpt=a@x.example&time=2024-05-01T10:00:00Z", "a=1", "b=2");

        Assert.Equal("Events to delete  1\n", await SaidAsync("purge", "--before", "2024-05-02", "--dry-run"));
        Assert.Equal("Events indexed  1\n", await SaidAsync("reindex"));
        Assert.Equal("Rows changed  0\n", await SaidAsync("reparse"));
        Assert.Equal("Dead letters to delete  2\n", await SaidAsync("dead-letters", "drop", "--reason", "no-event", "--dry-run"));
        Assert.Equal("Dead letters deleted  2\n", await SaidAsync("dead-letters", "drop", "--reason", "no-event", "--yes"));
        Assert.StartsWith("Events to delete  ", await SaidAsync("forget", "a@x.example", "--dry-run"), StringComparison.Ordinal);
        Assert.Equal("Events deleted  1\n", await SaidAsync("purge", "--before", "2024-05-02", "--yes"));

        async Task<string> SaidAsync(params string[] args)
        {
            var run = await RunAsync(account, args);
            Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
            return run.Output;
        }
    }

    private static void AssertAsked(string figures, ToolRun run) => Assert.Equal(
        (2, figures, "Nothing was changed. Add --yes to delete this for good.\n"), (run.ExitCode, run.Output, run.Error));

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
