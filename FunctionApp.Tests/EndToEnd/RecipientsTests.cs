using System.Globalization;
using System.Text;
using Azure;
using Azure.Data.Tables;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>The table of who must not be mailed matches the stored events, whatever is done to them.</summary>
public sealed class RecipientsTests(AzuriteFixture azurite)
{
    private const string Ada = "ada@example.org";

    [Theory]
    [InlineData("Ada.L@Example.ORG", "example.org", "ada.l@example.org")]
    [InlineData("o'hara=x@example.org", "example.org", "o=27hara=3Dx@example.org")]
    [InlineData("\"a@b\"@example.org", "example.org", "\"a@b\"@example.org")]
    [InlineData("björk@bücher.example", "bücher.example", "björk@bücher.example")]
    [InlineData("+6421555012", "no-domain", "+6421555012")]
    [InlineData("nobody", "no-domain", "nobody")]
    [InlineData("ada@", "no-domain", "ada@")]
    [InlineData("ada@a/b", "a=2Fb", "ada@a=2Fb")]
    public async Task A_row_is_found_by_domain_and_address(string address, string partitionKey, string rowKey)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);

        await app.StoreAsync($"event=bounce&bounce=hard&id=1&email_id=e1&rcpt={Uri.EscapeDataString(address)}&time=2026-05-02T11:20:31Z"
            + "&message=550 5.1.1 no such user");

        var row = Assert.Single(await RowsAsync(account));
        Assert.Equal((partitionKey, rowKey, address), (row.PartitionKey, row.RowKey, row["Recipient"]));
        Assert.Equal(
            ("hard-bounced", "bounce", "invalid-recipient", new DateTimeOffset(2026, 5, 2, 11, 20, 31, TimeSpan.Zero), false),
            (row["State"], row["LastEvent"], row["BounceClass"], row["StateSince"], row.ContainsKey("LastDelivered")));
        Assert.Equal(rowKey, Assert.Single(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable)).PartitionKey);
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Every_kind_of_event_leaves_the_state_that_it_should()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("event=spam&id=1&email_id=e1&rcpt=a@x&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=unsubscribe&id=2&email_id=e1&rcpt=b@x&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=reject&id=3&email_id=e1&rcpt=c@x&message=Recipient is suppressed&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=reject&id=4&email_id=e1&rcpt=d@x&message=Sender is not verified&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync(
            "event=opt-out&id=5&message_id=s1&destination_number=%2B6421555012&received_timestamp=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=resubscribe&id=6&email_id=e1&rcpt=e@x");
        await app.AcknowledgedAsync("event=bounce&bounce=hard&id=7&email_id=e1&rcpt=f@x,g@x");
        foreach (var i in new[] { 8, 9, 10 })
        {
            await app.AcknowledgedAsync($"event=bounce&bounce=soft&id={i}&email_id=e{i}&rcpt=h@x&time=2026-05-02T11:20:{i:00}Z");
        }

        await app.AcknowledgedAsync(
            "event=bounce&bounce=hard&id=11&email_id=e1&rcpt=i@x&subject=Mail test - please ignore&sendtime=2015-08-04T22:39:34Z");
        await app.DrainedAsync();

        Assert.Equal(
            [
                "+6421555012 unsubscribed", "a@x complained", "b@x unsubscribed", "c@x suppressed", "e@x active", "f@x hard-bounced",
                "g@x hard-bounced", "h@x soft-bouncing",
            ],
            (await RowsAsync(account)).Select(row => $"{row.RowKey} {row["State"]}").Order(StringComparer.Ordinal));
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Events_that_change_no_state_cost_no_request()
    {
        var account = azurite.NewAccount();
        var requests = new List<string>();
        await using var app = await IngestApp.StartAsync(account, configure: Counting(account, requests), pump: false);
        await StoreAsync("event=bounce&bounce=hard&id=0&email_id=e0&rcpt=other@example.org");
        requests.Clear();

        foreach (var (name, more) in new[]
        {
            ("processed", "&recipients=ada@example.org,bob@example.org"), ("delivered", string.Empty), ("open", string.Empty),
            ("click", string.Empty), ("reject", "&message=Sender is not verified"), ("sms_failed", string.Empty), ("new", string.Empty),
            ("bounce", "&subject=Mail test - please ignore&sendtime=2015-08-04T22:39:34Z"),
        })
        {
            await StoreAsync($"event={name}&id={name}&email_id=e1{(name == "processed" ? string.Empty : "&rcpt=ada@example.org")}{more}");
            Assert.DoesNotContain(requests, request => request.StartsWith("GET", StringComparison.Ordinal));
            Assert.DoesNotContain(requests, request => request.Contains(Recipients.TableName, StringComparison.Ordinal));
            Assert.Equal(name == "processed" ? 4 : 3, requests.Count);
            requests.Clear();
        }

        // One that does: reads its row and the index, writes, and reads the index again.
        await StoreAsync("event=bounce&bounce=hard&id=1&email_id=e1&rcpt=ada@example.org");
        Assert.Equal(3 + 4, requests.Count);

        // And one that changes nothing about it.
        requests.Clear();
        await StoreAsync("event=bounce&bounce=hard&id=1&email_id=e1&rcpt=ada@example.org&sendtime=2027-01-01T00:00:00Z");
        Assert.Equal(4 + 2, requests.Count);

        async Task StoreAsync(string body)
        {
            await app.AcknowledgedAsync($"{body}&time=2026-05-02T11:20:31Z");
            await app.StoreQueuedAsync();
        }
    }

    [Fact]
    public Task In_whatever_order_and_how_often_events_come_the_table_agrees() => Gen
        .Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[-1, 9], (kind, person, second) => (kind, person, second))
        .Array[4, 24]
        .Select(Gen.Int)
        .SampleAsync(
            async (events, seed) =>
            {
                var account = azurite.NewAccount();
                await using var app = await IngestApp.StartAsync(account);
                string[] bodies = [.. events.Select((e, i) => BodyOf(e.kind, e.person, e.second, i))];
                string[] all = [.. bodies, .. bodies.Take(bodies.Length / 2).Select(body => $"{body}&sendtime=2027-01-01T00:00:00Z")];
                new Random(seed).Shuffle(all);

                await Task.WhenAll(all.Select(body => app.AcknowledgedAsync(body)));
                await app.DrainedAsync();

                // A delivery alone does not fold: the nightly run does.
                await app.Services.GetRequiredService<Recipients>().RefreshAsync(Test.Token);
                await RecipientsAgree.AssertAsync(account);
            },
            iter: 6,
            threads: 1);

    [Fact]
    public async Task Two_who_fold_at_once_end_with_what_both_stored()
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account, pump: false);
        await using var app = await MeetingWriteAsync(account, () => StoreByAsync(other, Bounce("2", Ada, "soft", 2)));

        await StoreByAsync(app, Bounce("1", Ada, "hard", 1));

        Assert.Equal("hard-bounced", Assert.Single(await RowsAsync(account))["State"]);
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task A_fold_that_was_overtaken_by_a_deletion_takes_back_what_it_wrote()
    {
        // The other sees neither a row nor an event, and so has nothing to write.
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account, pump: false);
        await using var app = await MeetingWriteAsync(account, async () =>
        {
            await IndexTests.DeleteAllAsync(account, EventIndex.ByRecipientTable);
            await other.Services.GetRequiredService<Recipients>().FoldAsync([Ada], Test.Token);
            Assert.Empty(await RowsAsync(account));
        });

        await StoreByAsync(app, Bounce("1", Ada, "hard", 1));

        Assert.Empty(await RowsAsync(account));
    }

    [Fact]
    public async Task A_fold_that_was_overtaken_by_an_event_that_cancels_its_own_takes_back_what_it_wrote()
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account, pump: false);
        await StoreByAsync(other, Bounce("1", Ada, "hard", 9));
        var before = Assert.Single(await RowsAsync(account));
        await using var app = await MeetingWriteAsync(account, async () =>
        {
            // After this the state is again what the row says, so nobody writes it.
            await StoreByAsync(other, $"event=resubscribe&id=3&email_id=e3&rcpt={Ada}&time=2026-05-02T11:20:02Z");
            Assert.Equal(before.ETag, Assert.Single(await RowsAsync(account)).ETag);
        });

        await StoreByAsync(app, $"event=unsubscribe&id=2&email_id=e2&rcpt={Ada}&time=2026-05-02T11:20:01Z");

        Assert.Equal("hard-bounced", Assert.Single(await RowsAsync(account))["State"]);
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task A_row_that_changes_again_and_again_is_given_up_and_the_message_comes_again()
    {
        var account = azurite.NewAccount();
        var writes = 0;
        var configure = StorageFault.InTables(account, request =>
            IsWrite(request.Method.Method, request.Uri.Path) && ++writes <= 7
                ? new RequestFailedException(412, "Changed.", "UpdateConditionNotSatisfied", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: configure);

        await app.StoreAsync(Bounce("1", Ada, "hard", 1));

        Assert.InRange(writes, 8, 10);
        await RecipientsAgree.AssertAsync(account);
    }

    [Theory]
    [InlineData(409, "TableBeingDeleted")]
    [InlineData(404, "TableNotFound")]
    public async Task A_failure_of_the_table_is_not_taken_for_a_change_of_the_row(int status, string code)
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account, pump: false);
        await StoreByAsync(other, Bounce("1", Ada, "hard", 1));
        var writes = 0;
        var configure = StorageFault.InTables(account, request =>
            IsWrite(request.Method.Method, request.Uri.Path) && ++writes > 0
                ? new RequestFailedException(status, "No.", code, null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: configure, pump: false);
        await IndexTests.DeleteAllAsync(account, EventIndex.ByRecipientTable);

        var failure = await Assert.ThrowsAsync<RequestFailedException>(
            () => app.Services.GetRequiredService<Recipients>().FoldAsync([Ada], Test.Token));

        Assert.Equal((status, code, 1), (failure.Status, failure.ErrorCode, writes));
    }

    [Fact]
    public async Task A_row_that_cannot_be_folded_stops_neither_the_others_nor_the_position()
    {
        var account = azurite.NewAccount();
        var isAway = false;
        var configure = StorageFault.InTables(account, request =>
            isAway && request.Method.Method != "GET" && Uri.UnescapeDataString(request.Uri.Path).Contains("b@", StringComparison.Ordinal)
                ? new RequestFailedException(400, "No.", "InvalidInput", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: configure, pump: false);
        var i = 0;
        foreach (var address in (string[])["a@x", "b@x", "c@x", "b@y", "a@z"])
        {
            i++;
            await StoreByAsync(app, Bounce($"{i}", address, "hard", 1));
            await StoreByAsync(app, $"event=delivered&id=d{i}&email_id=e{i}&rcpt={address}&time=2026-05-02T12:00:00Z");
        }

        isAway = true;
        List<RecipientPosition> positions = [];
        var failure = await Assert.ThrowsAsync<RequestFailedException>(async () =>
        {
            await foreach (var position in app.Services.GetRequiredService<Recipients>().RefreshAsync(null, Test.Token))
            {
                positions.Add(position);
            }
        });

        Assert.Equal(new RecipientPosition("z", "a@z"), positions[^1]);
        Assert.Equal((400, "InvalidInput"), (failure.Status, failure.ErrorCode));
        Assert.StartsWith("2 recipients could not be folded.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(
            ["a@x active", "a@z active", "b@x hard-bounced", "b@y hard-bounced", "c@x active"],
            (await RowsAsync(account)).Select(row => $"{row.RowKey} {row["State"]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Forgetting_folds_an_address_once_however_many_events_it_has()
    {
        var account = azurite.NewAccount();
        await using (var app = await IngestApp.StartAsync(account, pump: false))
        {
            for (var i = 0; i < 10; i++)
            {
                await StoreByAsync(app, Bounce($"{i}", Ada, "soft", i));
            }
        }

        var reads = await FoldsAsync(account, app => app.Services.GetRequiredService<Forgetting>().ForgetAsync(
            Ada, dryRun: false, null, Test.Token));

        // Once to delete the row, and once more to see that nothing has changed.
        Assert.InRange(reads, 1, 2);
        Assert.Empty(await RowsAsync(account));
    }

    [Fact]
    public async Task Parsing_again_folds_an_address_once_for_each_event_that_changed()
    {
        var account = azurite.NewAccount();
        await using (var app = await IngestApp.StartAsync(account, pump: false))
        {
            await StoreByAsync(app, Bounce("1", Ada, "hard", 1));
        }

        var table = new TableClient(account, EventStore.TableName);
        var row = Assert.Single(await IndexTests.RowsAsync(account, EventStore.TableName));
        row["SmtpCode"] = 1;
        await table.UpdateEntityAsync(row, row.ETag, TableUpdateMode.Replace, Test.Token);

        // The fold of the day that has changed is the second.
        Assert.InRange(
            await FoldsAsync(account, app => app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token)), 1, 2);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(403)]
    public async Task While_a_recipient_cannot_be_folded_its_message_comes_again_and_the_others_are_stored(int status)
    {
        var account = azurite.NewAccount();
        var isAway = true;
        var configure = StorageFault.InTables(account, request =>
            isAway && request.Uri.Path.Contains(Recipients.TableName, StringComparison.Ordinal)
                ? new RequestFailedException(status, "Away.")
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: configure);

        await app.AcknowledgedAsync(Bounce("1", Ada, "hard", 1));
        await app.AcknowledgedAsync("event=open&id=2&email_id=e2&rcpt=bob@example.net");
        await Eventually.Get(app.EventsAsync, events => events.Count == 2);
        Assert.NotEqual(0, await app.WaitingAsync());
        isAway = false;
        await app.DrainedAsync();

        Assert.Empty(await app.DeadLettersAsync());
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Sixteen_messages_about_one_address_at_once_agree()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, pump: false);
        for (var i = 0; i < 16; i++)
        {
            await app.AcknowledgedAsync(i % 3 == 2
                ? $"event=resubscribe&id={i}&email_id=e{i}&rcpt={Ada}&time=2026-05-02T11:20:{i:00}Z"
                : Bounce($"{i}", Ada, i % 2 == 0 ? "hard" : "soft", i));
        }

        var messages = (await app.Queue.ReceiveMessagesAsync(32, cancellationToken: Test.Token)).Value;
        await Task.WhenAll(messages.Select(message => app.Services.GetRequiredService<WebhookProcessor>().StoreAsync(message, Test.Token)));

        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Forgetting_deletes_the_row_in_every_spelling_and_leaves_the_others_true()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: ForgettingTests.Later(account));
        await app.AcknowledgedAsync(Bounce("1", "björk@bücher.example", "hard", 1));
        await app.AcknowledgedAsync(Bounce("2", "Björk@xn--bcher-kva.example", "hard", 2));
        await app.AcknowledgedAsync(Bounce("3", "björk2@bücher.example", "hard", 3));
        await app.AcknowledgedAsync(
            "event=reject&id=9&email_id=e9&rcpt=henk@x.example&message=Recipient is suppressed, like björk@bücher.example");
        await app.AcknowledgedAsync(
            "event=spam&email_id=e10&rcpt=ines@x.example&subject=for+björk@bücher.example&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=unsubscribe&id=11&email_id=e11&rcpt=list%2Bbj%C3%B6rk%3Db%C3%BCcher.example@x.example");
        await app.DrainedAsync();
        var others = (await RowsAsync(account)).Where(row => !row.RowKey.StartsWith("björk@", StringComparison.Ordinal)).ToList();
        var forgetting = app.Services.GetRequiredService<Forgetting>();

        var planned = await forgetting.ForgetAsync("björk@bücher.example", dryRun: true, null, Test.Token);
        Assert.Equal(6, (await RowsAsync(account)).Count);
        var forgotten = await forgetting.ForgetAsync("björk@bücher.example", dryRun: false, null, Test.Token);

        Assert.Equal((3, planned), (forgotten.Recipients, forgotten));
        Assert.Equal(
            [
                "björk2@bücher.example hard-bounced", "henk@x.example suppressed", "ines@x.example complained",
                "list+[forgotten]@x.example unsubscribed",
            ],
            (await RowsAsync(account)).Select(row => $"{row.RowKey} {row["State"]}").Order(StringComparer.Ordinal));
        Assert.All(
            (await RowsAsync(account)).Where(row => others.Exists(other => other.RowKey == row.RowKey)),
            row => Assert.Equal(others.Single(other => other.RowKey == row.RowKey)["StateSince"], row["StateSince"]));
        await RecipientsAgree.AssertAsync(account);
        Assert.Equal(new Forgotten(), await forgetting.ForgetAsync("björk@bücher.example", dryRun: false, null, Test.Token));
    }

    [Theory]
    [InlineData("forget")]
    [InlineData("purge")]
    [InlineData("reindex")]
    public async Task Whichever_write_of_a_run_was_the_last_the_next_run_makes_the_table_agree(string run)
    {
        var writes = 1;
        for (CrashPoint? crash = null; crash is null or { HasCrashed: true }; writes++)
        {
            var account = azurite.NewAccount();
            await using var app = await IngestApp.StartAsync(
                account, configure: StorageWire.Shifted(account, () => TimeSpan.FromHours(1)), pump: false);
            await StoreByAsync(app, Bounce("1", Ada, "hard", 1));
            await StoreByAsync(app, "event=delivered&id=2&email_id=e2&rcpt=henk@x.example&time=2026-05-02T11:20:31Z");
            await StoreByAsync(app, "event=spam&id=3&email_id=e3&rcpt=henk@x.example&time=2026-09-02T11:20:31Z");
            await StoreByAsync(
                app, $"event=reject&email_id=e4&rcpt=henk@x.example&message=Recipient is suppressed, not {Ada}&time=2026-05-02T11:20:32Z");
            if (run == "reindex")
            {
                await Table(account).DeleteAsync(Test.Token);
                await IndexTests.DeleteAllAsync(account, EventIndex.ByDayTable);
            }

            crash = new CrashPoint(writes);
            await using (
                var dying = await IngestApp.StartAsync(account, configure: StorageWire.Between(account, crash.MeetAsync), pump: false))
            {
                await Record.ExceptionAsync(() => RunAsync(dying));
            }

            await RunAsync(app);

            await RecipientsAgree.AssertAsync(account);
            Assert.Equal(run == "reindex" ? 2 : 1, (await RowsAsync(account)).Count);
        }

        Assert.InRange(writes, run == "reindex" ? 5 : 4, 60);

        Task RunAsync(IngestApp by) => run switch
        {
            "forget" => by.Services.GetRequiredService<Forgetting>().ForgetAsync(Ada, dryRun: false, null, Test.Token),
            "purge" => by.Services.GetRequiredService<Retention>().PurgeAsync(
                new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero), dryRun: false, null, Test.Token),
            _ => by.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token),
        };
    }

    [Fact]
    public async Task A_row_that_a_run_left_behind_is_found_by_the_next()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.StoreAsync(Bounce("1", Ada, "hard", 1));
        foreach (var table in new[] { EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            await IndexTests.DeleteAllAsync(account, table);
        }

        var forgetting = app.Services.GetRequiredService<Forgetting>();
        Assert.Equal(new Forgotten { Recipients = 1 }, await forgetting.ForgetAsync("ADA@example.org", dryRun: false, null, Test.Token));

        Assert.Empty(await RowsAsync(account));
    }

    [Fact]
    public async Task A_purge_folds_what_is_left_even_if_an_earlier_one_was_cut_short()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync($"event=unsubscribe&id=1&email_id=e1&rcpt={Ada}&time=2020-05-01T10:00:00Z");
        await app.AcknowledgedAsync($"event=delivered&id=2&email_id=e2&rcpt={Ada}&time=2020-05-01T10:00:00Z");
        await app.AcknowledgedAsync($"event=bounce&bounce=hard&id=3&email_id=e3&rcpt={Ada}&time=2024-05-01T10:00:00Z");
        await app.AcknowledgedAsync("event=spam&id=4&email_id=e4&rcpt=bob@example.net&time=2020-05-01T10:00:00Z");
        await app.DrainedAsync();
        Assert.Equal(2, (await RowsAsync(account)).Count);
        var retention = app.Services.GetRequiredService<Retention>();
        var before = new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.Equal(3, await retention.PurgeAsync(before, dryRun: true, null, Test.Token));
        Assert.Equal(2, (await RowsAsync(account)).Count);
        await retention.PurgeAsync(before, dryRun: false, null, Test.Token);

        var row = Assert.Single(await RowsAsync(account));
        Assert.Equal(("hard-bounced", false), (row["State"], row.ContainsKey("LastDelivered")));
        await RecipientsAgree.AssertAsync(account);

        row["State"] = "complained";
        await Table(account).UpdateEntityAsync(row, ETag.All, TableUpdateMode.Replace, Test.Token);
        Assert.Equal(0, await retention.PurgeAsync(before, dryRun: false, null, Test.Token));
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Reindexing_rebuilds_the_table_from_nothing_and_deletes_what_has_no_event()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: StorageWire.Shifted(account, () => TimeSpan.FromHours(1)));
        await app.AcknowledgedAsync(Bounce("1", Ada, "hard", 1));
        await app.AcknowledgedAsync($"event=spam&id=2&email_id=e2&rcpt=gone@example.net&message={new string('m', 50_000)}");
        await app.AcknowledgedAsync("event=unsubscribe&id=3&email_id=e3&rcpt=stray@example.net");
        await app.DrainedAsync();
        await Table(account).DeleteAsync(Test.Token);
        await app.Blobs.DeleteAsync(cancellationToken: Test.Token);
        var stray = (await app.EventsAsync()).Single(row => row.PartitionKey == "e3");
        await app.Events.DeleteEntityAsync(stray.PartitionKey, stray.RowKey, cancellationToken: Test.Token);
        await Table(account).CreateAsync(Test.Token);
        await Table(account).AddEntityAsync(
            new TableEntity("example.net", "nobody@example.net") { ["Recipient"] = "nobody@example.net", ["State"] = "complained" },
            Test.Token);

        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);

        Assert.Equal([Ada, "gone@example.net"], (await RowsAsync(account)).Select(row => row.RowKey).Order());
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task Reparsing_folds_what_it_changes()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync($"event=reject&id=1&email_id=e1&rcpt={Ada}&message=Recipient is suppressed&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=reject&id=2&email_id=e2&rcpt=bob@example.net&message=Sender is not verified");
        await app.DrainedAsync();

        // As an older version with other rules has classified them.
        foreach (var row in await app.EventsAsync())
        {
            row["BounceClass"] = row.GetString("BounceClass") == "suppressed" ? "other" : "suppressed";
            await app.Events.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Replace, Test.Token);
        }

        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);
        Assert.Equal("bob@example.net", Assert.Single(await RowsAsync(account)).RowKey);

        Assert.Equal(2, await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token));

        Assert.Equal(Ada, Assert.Single(await RowsAsync(account)).RowKey);
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task A_refresh_brings_every_row_up_to_date_and_continues_where_it_was_interrupted()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        foreach (var address in new[] { "a@x", "b@x", "a@y", "%2B6421555012" })
        {
            await app.AcknowledgedAsync(Bounce(address, address, "hard", 1));
            await app.AcknowledgedAsync($"event=delivered&id=d{address}&email_id=e{address}&rcpt={address}&time=2026-05-02T12:00:00Z");
        }

        await app.DrainedAsync();
        var recipients = app.Services.GetRequiredService<Recipients>();
        var stale = await StaleAsync();

        var positions = await recipients.RefreshAsync(new RecipientPosition("x", "a@x"), Test.Token).ToListAsync(Test.Token);
        Assert.Equal([new RecipientPosition("x", "b@x"), new RecipientPosition("y", "a@y")], positions);
        Assert.Equal(stale.Except(["b@x", "a@y"]).Order(StringComparer.Ordinal), await StaleAsync());

        await recipients.RefreshAsync(Test.Token);
        Assert.Empty(await StaleAsync());
        await RecipientsAgree.AssertAsync(account);

        async Task<List<string>> StaleAsync() =>
        [
            .. (await RowsAsync(account)).Where(row => !row.ContainsKey("LastDelivered"))
                .Select(row => row.RowKey)
                .Order(StringComparer.Ordinal),
        ];
    }

    // How often the events of one address are read.
    private static async Task<int> FoldsAsync(string account, Func<IngestApp, Task> run)
    {
        var reads = 0;
        var configure = StorageFault.InTables(account, request =>
        {
            var query = Uri.UnescapeDataString(request.Uri.Query);
            reads += request.Method.Method == "GET"
                && request.Uri.Path.Contains(EventIndex.ByRecipientTable, StringComparison.Ordinal)
                && query.Contains($"PartitionKey eq '{Ada}' and (event", StringComparison.Ordinal)
                    ? 1
                    : 0;
            return null;
        });
        await using var app = await IngestApp.StartAsync(account, configure: configure, pump: false);
        await run(app);
        return reads;
    }

    private static string Bounce(string id, string address, string kind, int second) =>
        $"event=bounce&bounce={kind}&id={id}&email_id=e{id}&rcpt={address}&message=550 5.1.1 no such user"
        + $"&time=2026-05-02T11:20:{second.ToString("00", CultureInfo.InvariantCulture)}Z";

    private static string BodyOf(int kind, int person, int second, int i)
    {
        var (name, more) = kind switch
        {
            0 => ("bounce", "&bounce=hard&message=550 5.1.1 no such user"),
            1 or 2 => ("bounce", "&bounce=soft&message=452 4.2.2 mailbox full"),
            3 => ("spam", string.Empty),
            4 => ("unsubscribe", string.Empty),
            5 => ("resubscribe", string.Empty),
            6 => ("reject", "&message=Recipient is suppressed"),
            7 => ("reject", "&message=Sender is not verified"),
            _ => ("delivered", string.Empty),
        };
        var time = second < 0 ? string.Empty : $"&time=2026-05-02T11:20:0{second}Z";
        return $"event={name}&id={i}&email_id=e{i}&rcpt=p{person}@x.example{more}{time}";
    }

    private static TableClient Table(string account) => new(account, Recipients.TableName);

    private static Task<List<TableEntity>> RowsAsync(string account) => IndexTests.RowsAsync(account, Recipients.TableName);

    private static async Task StoreByAsync(IngestApp app, string body)
    {
        Assert.True(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out var e, out _));
        var row = EventRow.New(e, new ReceivedWebhook(Guid.NewGuid().ToString("N"), DateTimeOffset.UtcNow, "text/plain", body, null));
        await app.Services.GetRequiredService<EventStore>().StoreAsync([row], Test.Token);
        Assert.Null(row.Failure);
    }

    private static bool IsWrite(string method, string path) =>
        method != "GET" && path.Contains($"/{Recipients.TableName}", StringComparison.Ordinal);

    /// <summary>An app for which something else happens just before it first writes a row.</summary>
    private static Task<IngestApp> MeetingWriteAsync(string account, Func<Task> meanwhile)
    {
        var met = 0;
        return IngestApp.StartAsync(
            account,
            configure: StorageWire.Between(account, async (request, send, _) =>
            {
                if (IsWrite(request.Method.Method, request.RequestUri!.AbsolutePath) && Interlocked.Exchange(ref met, 1) == 0)
                {
                    await meanwhile();
                }

                return await send();
            }),
            pump: false);
    }

    private static Action<IServiceCollection> Counting(string account, List<string> requests) => StorageFault.InTables(account, request =>
    {
        lock (requests)
        {
            requests.Add($"{request.Method} {request.Uri.Path}");
        }

        return null;
    });
}
