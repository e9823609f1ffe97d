using Azure.Data.Tables;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>The process dies right after a write took effect, for each possible write. The next process finishes the work.</summary>
public sealed class CrashTests(AzuriteFixture azurite)
{
    private const int MaxRuns = 32;
    private const string Ada = "ada@x.example";

    private static readonly string[] Poisoned =
    [
        Scenario.MessageOf(Scenario.Entry("w1", Scenario.EventOf("1")), Scenario.Entry("w2", Scenario.EventOf("2"))),
    ];

    public static TheoryData<string> Scenarios => [.. Scenario.All.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Whichever_write_was_the_last_everything_is_stored_once(string scenario) =>
        await AfterEachWriteAsync(writes => RunAsync(Scenario.All[scenario], writes));

    [Fact]
    public async Task Whichever_write_was_the_last_on_the_way_to_poison_each_webhook_is_one_dead_letter() =>
        await AfterEachWriteAsync(writes =>
            RunAsync(new Scenario([], [], Poisoned, [], ["poison", "poison"]), writes, WithoutEvents, tries: 2));

    [Fact]
    public async Task Whichever_write_was_the_last_of_a_replay_each_webhook_is_stored_once_and_its_dead_letter_gone() =>
        await AfterEachWriteAsync(async writes =>
        {
            var account = azurite.NewAccount();
            await new Scenario([], [], [], [], []).EnqueueAsync(account);
            var crash = new CrashPoint(writes) { IsArmed = false };
            await using (
                var dying = await StartAsync(
                    account,
                    (request, send, token) =>
                        crash.IsArmed ? crash.MeetAsync(request, send, token) : WithoutEvents(request, send, token)))
            {
                var poison = QueuesModelFactory.QueueMessage("m", "r", Poisoned[0], 100, null, DateTimeOffset.UtcNow);
                await dying.Services.GetRequiredService<WebhookProcessor>().KeepPoisonAsync(poison, Test.Token);
                crash.IsArmed = true;
                var failure = await Record.ExceptionAsync(() => ReplayAsync(dying));
                Assert.True(failure is null || crash.HasCrashed, $"{failure}");
                await EndedAsync(dying, crash);
            }

            await crash.ReleaseAsync(account);
            await using var app = await StartAsync(account, static (_, send, _) => send());
            await app.DrainedAsync();
            await ReplayAsync(app);
            await app.DrainedAsync();
            await StoredState.AssertAsync(app, account, ["1", "2"]);
            return crash.Writes;
        });

    [Theory]
    [InlineData("purge")]
    [InlineData("forget")]
    public async Task Whichever_write_was_the_last_of_a_deletion_the_next_one_deletes_the_rest(string deletion)
    {
        await AfterEachWriteAsync(async writes =>
        {
            // No body is too young to be deleted.
            var week = TimeSpan.FromDays(8);
            var account = azurite.NewAccount();
            var large = new string('m', 50_000);
            await using var app = await StartAsync(account, StorageWire.Later(week));
            string[] bodies =
            [
                $"event=processed&id=1&email_id=e1&recipients={Ada},bob@y.example&time=2025-05-02T11:20:00Z",
                $"event=unsubscribe&id=2&email_id=e2&rcpt={Ada}&time=2025-05-02T11:21:00Z&message={large}",
                $"event=unsubscribe&id=3&email_id=e3&rcpt={Ada}&time=2025-05-02T11:22:00Z&message={large}",
                "event=open&id=4&email_id=e4&rcpt=bob@y.example",
            ];
            await new Scenario(bodies, [], [], [], []).PostAsync(app);
            await app.DrainedAsync();

            // A purge deletes a body before its rows: one that dies there leaves an event like this one.
            var gone = (await app.EventsAsync()).Single(row => row.PartitionKey == "e3").GetString("BodyBlob");
            await app.Blobs.DeleteBlobAsync(gone, cancellationToken: Test.Token);

            var crash = new CrashPoint(writes);
            await using (var dying = await StartAsync(account, StorageWire.Later(week, crash.MeetAsync)))
            {
                var failure = await Record.ExceptionAsync(() => DeleteAsync(dying));
                Assert.True(failure is null || crash.HasCrashed, $"{failure}");
            }

            await DeleteAsync(app);
            Assert.Equal(deletion == "purge" ? ["e4"] : ["e1", "e4"], (await app.EventsAsync()).Select(row => row.PartitionKey));
            await IndexTests.AssertAgreeAsync(account);
            await RecipientsAgree.AssertAsync(account);
            Assert.Empty(await IndexTests.RowsAsync(account, Recipients.TableName));
            Assert.Empty(app.Blobs.GetBlobs(cancellationToken: Test.Token));
            return crash.Writes;
        });

        Task DeleteAsync(IngestApp by) => deletion == "purge"
            ? by.Services.GetRequiredService<Retention>().PurgeAsync(DateTimeOffset.UtcNow.AddDays(-30), dryRun: false, null, Test.Token)
            : by.Services.GetRequiredService<Forgetting>().ForgetAsync(Ada, dryRun: false, null, Test.Token);
    }

    [Fact]
    public async Task Whichever_write_was_the_last_of_a_reparse_the_next_one_makes_all_tables_agree() =>
        await AfterEachWriteAsync(async writes =>
        {
            var account = azurite.NewAccount();
            await using var app = await StartAsync(account, StorageWire.Later(TimeSpan.FromHours(1)));
            string[] bodies =
            [
                $"event=bounce&bounce=hard&id=1&email_id=e1&rcpt={Ada}&time=2026-05-02T11:20:00Z&message=550+5.1.1+no+such+user",
                "event=unsubscribe&id=2&email_id=e2&rcpt=bob@y.example&time=2026-05-02T11:20:00Z",
            ];
            await new Scenario(bodies, [], [], [], []).PostAsync(app);
            await app.DrainedAsync();
            foreach (var name in (string[])[EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable])
            {
                await MakeOlderAsync(new TableClient(account, name));
            }

            await app.Services.GetRequiredService<Recipients>().RefreshAsync(Test.Token);

            var crash = new CrashPoint(writes);
            await using (var dying = await StartAsync(account, crash.MeetAsync))
            {
                var failure = await Record.ExceptionAsync(() => ReparseAsync(dying));
                Assert.True(failure is null || crash.HasCrashed, $"{failure}");
            }

            await ReparseAsync(app);
            Assert.Equal(["e1", "e2"], (await app.EventsAsync()).Select(row => row.PartitionKey));
            await IndexTests.AssertAgreeAsync(account);
            await RecipientsAgree.AssertAsync(account);
            return crash.Writes;
        });

    private static Task<long> ReparseAsync(IngestApp app) =>
        app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);

    /// <summary>As an older version would have stored them: one with another column, the other under another key.</summary>
    private static async Task MakeOlderAsync(TableClient table)
    {
        foreach (var row in await table.QueryAsync<TableEntity>(cancellationToken: Test.Token).ToListAsync())
        {
            if (row.GetString("email_id") == "e1")
            {
                row["BounceClass"] = "other";
                await table.UpdateEntityAsync(row, row.ETag, TableUpdateMode.Replace, Test.Token);
                continue;
            }

            await table.DeleteEntityAsync(row.PartitionKey, row.RowKey, row.ETag, Test.Token);
            row.RowKey += "0";
            if (row.ContainsKey("EventRowKey"))
            {
                row["EventRowKey"] = row.GetString("EventRowKey") + "0";
            }

            await table.AddEntityAsync(row, Test.Token);
        }
    }

    private static async Task AfterEachWriteAsync(Func<int, Task<int>> run)
    {
        var writes = await run(int.MaxValue);
        Assert.InRange(writes, 2, 100);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, writes),
            new ParallelOptions { MaxDegreeOfParallelism = MaxRuns, CancellationToken = Test.Token },
            async (last, _) =>
            {
                var took = 0;
                var failure = await Record.ExceptionAsync(async () => took = await run(last));
                Assert.True(failure is null, $"After write {last} of {writes}: {failure}");
                Assert.True(took >= last, $"Write {last} of {writes} was never reached.");
            });
    }

    private async Task<int> RunAsync(Scenario scenario, int writes, Meet? always = null, int tries = 100)
    {
        var account = azurite.NewAccount();
        await scenario.EnqueueAsync(account);
        always ??= static (_, send, _) => send();
        var crash = new CrashPoint(writes);
        var acknowledged = new List<string>();
        await using (
            var dying = await StartAsync(
                account,
                (request, send, token) => crash.MeetAsync(request, () => always(request, send, token), token),
                tries))
        {
            foreach (var body in scenario.Posts)
            {
                if (await Scenario.IsAcknowledgedAsync(dying, body))
                {
                    acknowledged.Add(body);
                }
            }

            await EndedAsync(dying, crash);
        }

        await crash.ReleaseAsync(account);
        await using var app = await StartAsync(account, always, tries);
        await (scenario with { Posts = [.. scenario.Posts.Except(acknowledged)] }).PostAsync(app);
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, scenario.Events, scenario.DeadLetters);
        return crash.Writes;
    }

    // A long lease: no message is handled twice, however slow the machine is. That would add writes that no other run makes.
    private static Task<IngestApp> StartAsync(
        string account, Meet meet, int tries = 100) => IngestApp.StartAsync(account, configure: services =>
    {
        StorageWire.Between(account, meet)(services);
        IngestApp.UseLease(services, TimeSpan.FromMinutes(1), tries);
    });

    /// <summary>Events cannot be stored; dead letters can.</summary>
    private static async Task<HttpResponseMessage> WithoutEvents(
        HttpRequestMessage request,
        Func<Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken) =>
        await StorageWire.IsInsertAsync(request) ? new HttpResponseMessage(System.Net.HttpStatusCode.Forbidden) : await send();

    private static async Task EndedAsync(IngestApp app, CrashPoint crash) =>
        await Eventually.Get(async () => crash.HasCrashed || await app.WaitingAsync() == 0, ended => ended);

    private static async Task ReplayAsync(IngestApp app)
    {
        foreach (var row in await app.DeadLettersAsync())
        {
            Assert.True(
                await app
                    .Services.GetRequiredService<DeadLetters>()
                    .ReplayAsync(row, app.Services.GetRequiredService<WebhookQueue>(), Test.Token));
        }
    }
}
