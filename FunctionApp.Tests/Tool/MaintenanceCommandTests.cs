using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Tool;

public sealed class MaintenanceCommandTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Purge_counts_first_and_then_deletes_what_is_older()
    {
        var account = await StoredAsync(
            "event=open&id=1&email_id=old&rcpt=a@x.example&time=2024-05-01T10:00:00Z",
            "event=open&id=2&email_id=new&rcpt=a@x.example&time=2024-05-02T10:00:00Z");

        Assert.Equal("""{"events":1}""", await JsonAsync(account, "purge", "--before", "2024-05-02", "--dry-run"));
        Assert.Equal(2, (await IndexTests.RowsAsync(account, EventStore.TableName)).Count);
        Assert.Equal("""{"events":1}""", await JsonAsync(account, "purge", "--before", "2024-05-02"));

        Assert.Equal("new", Assert.Single(await IndexTests.RowsAsync(account, EventStore.TableName)).PartitionKey);
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Purge_takes_no_day_to_come() =>
        Assert.Equal(2, (await RunAsync(azurite.NewAccount(), "purge", "--before", "2999-01-01")).ExitCode);

    [Fact]
    public async Task Forget_says_what_it_did_and_refuses_while_messages_wait()
    {
        var account = await StoredAsync(
            "event=open&id=1&email_id=e1&rcpt=grace@x.example",
            "event=processed&id=2&email_id=e2&recipients=grace@x.example,henk@x.example");
        var queue = new Azure.Storage.Queues.QueueClient(account, WebhookQueue.Name);
        await queue.SendMessageAsync("waiting", Test.Token);

        var refused = await RunAsync(account, "forget", "Grace@X.example");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await IndexTests.RowsAsync(account, EventStore.TableName)).Count);

        Assert.Equal(
            """{"deleted":1,"redacted":1,"deadLetters":0,"blobs":0,"blobsLeft":0}""",
            await JsonAsync(account, "forget", "Grace@X.example", "--force"));
        Assert.Equal(2, (await RunAsync(account, "forget", "grace")).ExitCode);
        await IndexTests.AssertAgreeAsync(account);
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
        Assert.Equal("Deleted 1 event.\n", await SaidAsync("purge", "--before", "2024-05-02"));

        async Task<string> SaidAsync(params string[] args)
        {
            var run = await RunAsync(account, args);
            Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
            return run.Output;
        }
    }

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
