using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>What is done to stored rows later: replay, retention, forgetting, rebuilding.</summary>
public sealed class MaintenanceTests(AzuriteFixture azurite)
{
    private static readonly string[] Tables =
    [
        EventStore.TableName,
        EventIndex.ByDayTable,
        EventIndex.ByRecipientTable,
        DeadLetters.TableName,
    ];

    [Fact]
    public async Task A_replayed_dead_letter_is_deleted_when_its_event_is_stored_and_stays_if_it_fails_again()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var large = $"event=open&email_id=e2&message={new string('m', 50_000)}";
        var poison = new ReceivedWebhook("1", DateTimeOffset.UtcNow, "text/plain", "event=open&email_id=e1", null);
        await app.Services.GetRequiredService<DeadLetters>().KeepAsync(poison, DeadLetterReason.Poison, "why", Test.Token);
        await app.AcknowledgedAsync("no=event", "text/x-test");
        await app.AcknowledgedAsync(large);
        await app.DrainedAsync();
        var before = await app.DeadLettersAsync();
        Assert.Equal(["no-event", "poison"], before.Select(row => row.GetString("Reason")).Order());

        await ReplayAllAsync(app, before);

        Assert.Equal(["e1", "e2"], (await app.EventsAsync()).Select(row => row.PartitionKey).Order());
        Assert.Equal("1", (await app.EventsAsync()).Single(row => row.PartitionKey == "e1").GetString("WebhookId"));
        var after = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal(
            ("no-event", "text/x-test", before.Single(row => row.GetString("Reason") == "no-event").RowKey),
            (after["Reason"], after["ContentType"], after.RowKey));
    }

    [Fact]
    public async Task What_could_not_be_read_is_put_back_as_it_was()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.Queue.CreateAsync(cancellationToken: Test.Token);
        await app.Queue.SendMessageAsync(MessageOf("""{"id":7}"""), Test.Token);
        await app.Queue.SendMessageAsync("hello", Test.Token);
        await app.DrainedAsync();
        var before = await app.DeadLettersAsync();

        await ReplayAllAsync(app, before);

        Assert.Equal(
            ["hello", """{"id":7}"""],
            (await app.DeadLettersAsync()).Select(row => row.GetString("Body")).Order(StringComparer.OrdinalIgnoreCase));
        Assert.Empty((await app.DeadLettersAsync()).Select(row => row.RowKey).Intersect(before.Select(row => row.RowKey)));
    }

    [Fact]
    public async Task Retention_deletes_whole_days_from_all_tables_and_a_second_run_finds_nothing()
    {
        var account = azurite.NewAccount();
        var time = new ShiftedTime();
        await using var app = await IngestApp.StartAsync(
            account,
            new Dictionary<string, string?> { ["Events:RetentionDays"] = "30" },
            services =>
            {
                services.AddSingleton<TimeProvider>(time);
                StorageWire.Shifted(account, () => time.Shift)(services);
            });
        foreach (var age in new[] { 400, 31, 29, 0 })
        {
            await app.AcknowledgedAsync(
                $"event=processed&id={age}&email_id=e{age}&recipients=a@x,b{age}@x&time={TimeOf(age)}"
                + $"&message={(age == 400 ? new string('m', 40_000) : "m")}");
        }

        await app.AcknowledgedAsync("event=open&email_id=none&rcpt=a@x");
        await app.AcknowledgedAsync($"event=open&email_id=future&rcpt=a@x&time={TimeOf(-3650)}");
        await app.DrainedAsync();
        var retention = app.Services.GetRequiredService<Retention>();

        Assert.Equal(2, await retention.PurgeAsync(DateTimeOffset.UtcNow.AddDays(-30), dryRun: true, null, Test.Token));
        Assert.Equal(6, (await app.EventsAsync()).Count);
        await retention.PurgeExpiredAsync(Test.Token);

        Assert.Equal(["e0", "e29", "future", "none"], (await app.EventsAsync()).Select(row => row.PartitionKey).Order());
        await IndexTests.AssertAgreeAsync(account);
        Assert.Equal(0, await retention.PurgeAsync(DateTimeOffset.UtcNow.AddDays(-30), dryRun: false, null, Test.Token));

        // An event without a time, or with one in the future, counts from when it was received.
        time.Shift = TimeSpan.FromDays(40);
        await retention.PurgeExpiredAsync(Test.Token);
        Assert.Empty(await app.EventsAsync());
        foreach (var table in Tables)
        {
            Assert.Empty(await IndexTests.RowsAsync(account, table));
        }

        Assert.Empty(app.Blobs.GetBlobs(cancellationToken: Test.Token));
    }

    [Fact]
    public async Task Keeping_forever_deletes_nothing()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.StoreAsync("event=open&email_id=e1&time=2019-01-01T00:00:00Z");

        await app.Services.GetRequiredService<Retention>().PurgeExpiredAsync(Test.Token);

        Assert.Single(await app.EventsAsync());
    }

    [Fact]
    public async Task Forgetting_removes_the_address_everywhere_and_leaves_everything_else_as_it_is()
    {
        const string Address = "Grace.H@Mail.Example";
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: ForgettingTests.Later(account));
        string[] about =
        [
            "event=delivered&id=1&email_id=e1&rcpt=grace.h%40mail.example",
            """{"event":"open","id":"2","email_id":"e1","rcpt":"gr\u0061ce.h\u0040mail.example","message":"GRACE.H@MAIL.EXAMPLE"}""",
            $"event=bounce&id=3&email_id=e1&rcpt=grace.h@mail.example&message={new string('m', 50_000)}",
        ];
        string[] among =
        [
            "event=processed&id=4&email_id=e2&recipients=henk@mail.example,grace.h@mail.example,ines@mail.example",
            "event=click&id=5&email_id=e3&rcpt=henk@mail.example&url=https%3A%2F%2Fx.example%2F%3Fto%3Dgrace.h%2540mail.example%26z%3D1",
            """{"event":"delivered","id":"6","email_id":"e4","rcpt":"henk@mail.example","headers":"""
            + """{"to":"gr\u0061ce.h@mail.example"},"n":1}""",
            $"event=processed&id=7&email_id=e5&recipients=grace.h@mail.example,henk@mail.example&message={new string('m', 50_000)}",
            $"event=reject&email_id=e6&rcpt=henk@mail.example&message=not+grace.h%40mail.example+{new string('m', 50_000)}",
            """{"event":"open","id":"11","email_id":"e10","rcpt":"henk@mail.example","headers":"""
            + """{"to":"henk@mail.example,\r\n\tgrace.h@mail.example"}}""",
            "event=processed&id=12&email_id=e11&recipients=henk@mail.example,grace.h@mail.example&recipients[]=ines@mail.example",
        ];
        string[] others =
        [
            "event=open&id=8&email_id=e7&rcpt=marygrace.h@mail.example",
            "event=open&id=9&email_id=e8&rcpt=grace.h@mail.example.org",
            "event=open&id=10&email_id=e9&rcpt=henk@mail.example",
        ];
        string[] dead =
        [
            "rcpt=grace.h@mail.example&x=1",
            "message=sent+to+grace.h%40mail.example",
            $$"""{"note":"see\ngrace.h@mail.example"}""",
            "to=henk@mail.example",
        ];
        foreach (var body in about.Concat(among).Concat(others).Concat(dead))
        {
            await app.AcknowledgedAsync(body);
        }

        await app.Queue.SendMessageAsync("no envelope, grace.h@mail.example and henk@mail.example", Test.Token);
        await app.DrainedAsync();
        var untouched = (await app.EventsAsync())
            .Where(row => row.PartitionKey is "e7" or "e8" or "e9")
            .ToDictionary(row => row.PartitionKey, row => row.GetString("Body"));
        var forgetting = app.Services.GetRequiredService<Forgetting>();

        var forgotten = await forgetting.ForgetAsync(Address, dryRun: false, null, Test.Token);

        Assert.Equal(new Forgotten { Deleted = 3, Redacted = 7, DeadLetters = 4, Blobs = 3, Recipients = 1 }, forgotten);
        Assert.Equal(
            "henk@mail.example,ines@mail.example",
            (await app.EventsAsync()).Single(row => row.PartitionKey == "e11").GetString("recipients"));
        Assert.Contains(await app.DeadLettersAsync(), row => row.GetString("Body") == "no envelope, [forgotten] and henk@mail.example");
        Assert.Equal(
            ["e10", "e11", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9"],
            (await app.EventsAsync()).Select(row => row.PartitionKey).Order());
        Assert.Equal(
            "henk@mail.example,ines@mail.example",
            (await app.EventsAsync()).Single(row => row.PartitionKey == "e2").GetString("recipients"));
        Assert.All(
            (await app.EventsAsync()).Where(row => untouched.ContainsKey(row.PartitionKey)),
            row => Assert.Equal((untouched[row.PartitionKey], false), (row.GetString("Body"), row.ContainsKey("Redacted"))));
        Assert.All(
            (await app.EventsAsync()).Where(row => !untouched.ContainsKey(row.PartitionKey)), row => Assert.Equal(true, row["Redacted"]));
        await IndexTests.AssertAgreeAsync(account);
        await AssertNowhereAsync(app, account, "grace.h@mail.example", except: ["marygrace.h@mail.example", "grace.h@mail.example.org"]);

        Assert.Equal(new Forgotten(), await forgetting.ForgetAsync(Address, dryRun: false, null, Test.Token));
    }

    [Fact]
    public async Task Forgetting_leaves_the_body_of_a_waiting_webhook_alone_and_says_so()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: ForgettingTests.Later(account), pump: false);
        await app.AcknowledgedAsync(
            $"event=processed&id=1&email_id=e1&recipients=grace.h@mail.example,henk@mail.example&message={new string('m', 50_000)}");

        var forgotten = await app.Services.GetRequiredService<Forgetting>().ForgetAsync(
            "grace.h@mail.example", dryRun: false, null, Test.Token);

        Assert.Equal((0, 1), (forgotten.Blobs, forgotten.BlobsLeft));
        await app.StoreQueuedAsync();
        Assert.Single(await app.EventsAsync());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task An_event_whose_body_is_gone_is_purged_from_all_tables()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var row = await app.StoreAsync(
            $"event=processed&id=1&email_id=e1&recipients=a@x,b@x&time={TimeOf(100)}&message={new string('m', 50_000)}");
        await app.Blobs.DeleteBlobAsync(row.GetString("BodyBlob"), cancellationToken: Test.Token);

        Assert.Equal(
            1, await app
                .Services.GetRequiredService<Retention>()
                .PurgeAsync(DateTimeOffset.UtcNow.AddDays(-30), dryRun: false, null, Test.Token));

        foreach (var table in Tables)
        {
            Assert.Empty(await IndexTests.RowsAsync(account, table));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_event_that_comes_again_while_it_is_purged_is_whole_again(bool isBodyGone)
    {
        var account = azurite.NewAccount();
        var body = $"event=processed&id=1&email_id=e1&recipients=a@x,b@x&time={TimeOf(100)}&message={new string('m', 50_000)}";
        await using var other = await IngestApp.StartAsync(account, pump: false);
        await StoreAsync();
        if (isBodyGone)
        {
            var row = Assert.Single(await other.EventsAsync());
            await other.Blobs.DeleteBlobAsync(row.GetString("BodyBlob"), cancellationToken: Test.Token);
        }

        await using var app = await ForgettingTests.MeetingAsync(
            account,
            request => request.Method == HttpMethod.Delete
                && request.RequestUri!.AbsolutePath.Contains("Smtp2GoEventsByDay(", StringComparison.Ordinal),
            StoreAsync);
        await app.Services.GetRequiredService<Retention>().PurgeAsync(
            DateTimeOffset.UtcNow.AddDays(-30), dryRun: false, null, Test.Token);

        Assert.Single(await other.EventsAsync());
        await IndexTests.AssertAgreeAsync(account);

        async Task StoreAsync()
        {
            await other.AcknowledgedAsync(body);
            await other.StoreQueuedAsync();
        }
    }

    [Fact]
    public async Task A_reparse_that_ends_says_nothing_about_another_that_has_not()
    {
        var account = azurite.NewAccount();
        var days = new TableClient(account, DaysTable.TableName);
        await using var app = await ForgettingTests.MeetingAsync(
            account,
            request => request.Method == HttpMethod.Delete,
            () => days.UpsertEntityAsync(new TableEntity(DaysTable.Progress, "reparse"), TableUpdateMode.Replace, Test.Token));

        await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);
        Assert.Equal("reparse", Assert.Single(await IndexTests.RowsAsync(account, DaysTable.TableName)).RowKey);

        await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);
        Assert.Empty(await IndexTests.RowsAsync(account, DaysTable.TableName));
    }

    [Fact]
    public async Task Reparsing_never_overwrites_another_event()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var row = await app.StoreAsync("event=open&id=1&email_id=e1&message=one");
        var other = new TableEntity(row)
        {
            PartitionKey = row.PartitionKey,
            RowKey = "no-time_opened_0000000000000000",
            ["Body"] = "event=open&id=1&email_id=e1&message=two",
            ["WebhookId"] = "w2",
        };
        await app.Events.AddEntityAsync(other, Test.Token);

        await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);

        Assert.Equal("one", Assert.Single(await app.EventsAsync()).GetString("message"));
        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal(("conflict", "event=open&id=1&email_id=e1&message=two"), (kept["Reason"], kept["Body"]));
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Reindexing_a_half_deleted_index_gives_exactly_the_same_rows()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(i => app.AcknowledgedAsync($"event=processed&id={i}&email_id=e{i % 7}&recipients=a{i}@x,b@x&time={TimeOf(i)}")));
        await app.DrainedAsync();
        var before = await AllAsync();
        foreach (var table in new[] { EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            var client = new TableClient(account, table);
            foreach (var row in (await IndexTests.RowsAsync(account, table)).Where((_, i) => i % 2 == 0))
            {
                await client.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: Test.Token);
            }
        }

        var rebuild = app.Services.GetRequiredService<Rebuild>();
        Assert.Equal(40, await rebuild.ReindexAsync(null, Test.Token));

        Assert.Equal(before, await AllAsync());

        async Task<List<string>> AllAsync() =>
            [
                .. (await Task.WhenAll(Tables.Select(table => IndexTests.RowsAsync(account, table))))
                    .SelectMany(rows => rows)
                    .Select(row =>
                        string.Join(
                            '|', row.Where(p => p.Key is not ("Timestamp" or "odata.etag"))
                                .OrderBy(p => p.Key, StringComparer.Ordinal)
                                .Select(p => $"{p.Key}={p.Value}")))
                    .Order(StringComparer.Ordinal),
            ];
    }

    [Fact]
    public async Task Reindexing_deletes_rows_whose_event_is_gone()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: StorageWire.Shifted(account, () => TimeSpan.FromHours(1)));
        await app.StoreAsync("event=open&id=1&email_id=e1&rcpt=a@x");
        var row = Assert.Single(await app.EventsAsync());
        await app.Events.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: Test.Token);

        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);

        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
    }

    [Fact]
    public async Task Reindexing_deletes_rows_under_keys_from_an_older_version_and_leaves_those_of_a_lost_body()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: StorageWire.Shifted(account, () => TimeSpan.FromHours(1)));
        await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=n'dour@x&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync($"event=open&id=2&email_id=e2&rcpt=b@x&message={new string('m', 50_000)}");
        await app.DrainedAsync();
        await app.Blobs.DeleteAsync(cancellationToken: Test.Token);
        var (day, recipient) = (new TableClient(account, EventIndex.ByDayTable), new TableClient(account, EventIndex.ByRecipientTable));
        foreach (var (table, partitionKey) in new[] { (day, "2026-05-02_opened"), (recipient, "n'dour@X") })
        {
            var row = (await IndexTests.RowsAsync(account, table.Name)).Single(row => row.GetString("EventPartitionKey") == "e1");
            await table.AddEntityAsync(new TableEntity(row) { PartitionKey = partitionKey, RowKey = row.RowKey }, Test.Token);
        }

        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);

        Assert.Equal(
            ["2026-05-02_open", "no-time_open"],
            (await IndexTests.RowsAsync(account, day.Name)).Select(row => row.PartitionKey).Order());
        Assert.Equal(["b@x", "n=27dour@x"], (await IndexTests.RowsAsync(account, recipient.Name)).Select(row => row.PartitionKey).Order());
    }

    [Fact]
    public async Task Reparsing_rebuilds_columns_and_moves_a_row_whose_key_was_wrong()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=a@x&time=2026-05-02T11:20:31Z");
        await app.AcknowledgedAsync("event=open&id=2&email_id=e2&rcpt=a@x&time=2026-05-02T11:20:31Z");
        await app.DrainedAsync();
        var right = await app.EventsAsync();
        var wrong = new TableEntity(right[0]) { PartitionKey = right[0].PartitionKey, RowKey = "no-time_open_0000000000000000" };
        wrong.Remove("time");
        foreach (var table in new[] { EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            // Its index rows are wrong as well.
            var old = (await IndexTests.RowsAsync(account, table)).Single(row => row.GetString("EventRowKey") == right[0].RowKey);
            await new TableClient(account, table).DeleteEntityAsync(old.PartitionKey, old.RowKey, cancellationToken: Test.Token);
            await new TableClient(account, table).AddEntityAsync(
                new TableEntity(old) { RowKey = "no-time", ["EventRowKey"] = wrong.RowKey }, Test.Token);
        }

        await app.Events.AddEntityAsync(wrong, Test.Token);
        await app.Events.DeleteEntityAsync(right[0].PartitionKey, right[0].RowKey, cancellationToken: Test.Token);
        var rebuild = app.Services.GetRequiredService<Rebuild>();

        Assert.Equal(1, await rebuild.ReparseAsync(null, Test.Token));
        Assert.Equal(0, await rebuild.ReparseAsync(null, Test.Token));

        Assert.Equal(right.Select(row => row.RowKey).Order(), (await app.EventsAsync()).Select(row => row.RowKey).Order());
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Reparsing_fills_facts_in_for_rows_of_an_older_version()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        string[] bodies =
        [
            "event=delivered&id=1&email_id=1w4x2g-FnQW0hPru7M-NRRC&rcpt=a@own.example&host=aspmx.l.google.com&message=250+2.0.0+OK"
                + "&time=2026-03-24T08:23:19Z",
            "event=bounce&id=2&email_id=e2&rcpt=a@own.example&message=550+5.1.1+No",
            "event=open&id=3&email_id=e3&rcpt=a@own.example&user-agent=curl/8.5.0",
        ];
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
        var before = await AllAsync();
        foreach (var row in await app.EventsAsync())
        {
            foreach (var fact in ColumnNames.Facts)
            {
                row.Remove(fact);
            }

            await app.Events.UpdateEntityAsync(row, row.ETag, TableUpdateMode.Replace, Test.Token);
        }

        var rebuild = app.Services.GetRequiredService<Rebuild>();

        Assert.Equal(bodies.Length, await rebuild.ReparseAsync(null, Test.Token));
        Assert.Equal(0, await rebuild.ReparseAsync(null, Test.Token));
        Assert.Equal(before, await AllAsync());
        Assert.All(ColumnNames.Facts, fact => Assert.Contains(before, row => row.Contains($"{fact}=", StringComparison.Ordinal)));
        await IndexTests.AssertAgreeAsync(account);

        async Task<List<string>> AllAsync()
        {
            var rows = new List<string>();
            foreach (var table in Tables)
            {
                rows.AddRange((await IndexTests.RowsAsync(account, table)).Select(row => table + ": " + string.Join(", ", row
                    .Where(column => column.Key is not ("Timestamp" or "odata.etag"))
                    .OrderBy(column => column.Key, StringComparer.Ordinal)
                    .Select(column => $"{column.Key}={column.Value} {column.Value?.GetType().Name}"))));
            }

            return [.. rows.Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task Forgetting_an_address_in_a_row_without_its_body_keeps_the_facts_as_facts()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var row = await app.StoreAsync("event=open&id=1&email_id=e1&rcpt=a@own.example&user-agent=curl/8.5.0&X-Other=bob@own.example");
        row.Remove("Body");
        await app.Events.UpdateEntityAsync(row, row.ETag, TableUpdateMode.Replace, Test.Token);

        await app.Services.GetRequiredService<Forgetting>().ForgetAsync("bob@own.example", false, null, Test.Token);

        var redacted = Assert.Single(await app.EventsAsync());
        Assert.Equal(
            ("[forgotten]", "own.example", "script"), (redacted["X_Other"], redacted["RecipientDomain"], redacted["MachineReason"]));
        Assert.DoesNotContain(redacted.Keys, column => column.EndsWith("_2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("PUT")]
    public async Task Reparsing_brings_nothing_back_that_is_deleted_during_the_run(string method)
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account);
        var right = await other.StoreAsync("event=open&id=1&email_id=e1&rcpt=grace.h@mail.example&time=2026-05-02T11:20:31Z");
        var wrong = new TableEntity(right)
        {
            PartitionKey = right.PartitionKey,
            RowKey = method == "PUT" ? right.RowKey : "no-time_open_0000000000000000",
            ["subject"] = "of an older parser",
        };
        await other.Events.DeleteEntityAsync(right.PartitionKey, right.RowKey, cancellationToken: Test.Token);
        await other.Events.AddEntityAsync(wrong, Test.Token);
        await using var app = await ForgettingTests.MeetingAsync(
            account,
            request =>
                request.Method.Method == method && request.RequestUri!.AbsolutePath.Contains("/Smtp2GoEvents", StringComparison.Ordinal),
            async () => await other.Events.DeleteEntityAsync(wrong.PartitionKey, wrong.RowKey, cancellationToken: Test.Token));

        await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);

        Assert.Empty(await app.EventsAsync());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task Reparsing_keeps_no_dead_letter_for_what_is_deleted_during_the_run()
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account);
        var row = await other.StoreAsync("event=open&id=1&email_id=e1&message=one");
        var conflict = new TableEntity(row)
        {
            PartitionKey = row.PartitionKey,
            RowKey = "no-time_opened_0000000000000000",
            ["Body"] = "event=open&id=1&email_id=e1&message=two",
            ["WebhookId"] = "w2",
        };
        await other.Events.AddEntityAsync(conflict, Test.Token);
        await using var app = await ForgettingTests.MeetingAsync(
            account,
            request => request.Method == HttpMethod.Delete,
            async () => await other.Events.DeleteEntityAsync(conflict.PartitionKey, conflict.RowKey, cancellationToken: Test.Token));

        await app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);

        Assert.Equal("one", Assert.Single(await app.EventsAsync()).GetString("message"));
        Assert.Empty(await app.DeadLettersAsync());
    }

    private static async Task AssertNowhereAsync(IngestApp app, string account, string address, string[] except)
    {
        var texts = new List<string>();
        foreach (var table in Tables)
        {
            texts.AddRange(
                (await IndexTests.RowsAsync(account, table)).SelectMany(row => row.Select(p => p.Value?.ToString() ?? string.Empty)));
        }

        foreach (var blob in app.Blobs.GetBlobs(cancellationToken: Test.Token))
        {
            texts.Add((await app.Blobs.GetBlobClient(blob.Name).DownloadContentAsync(Test.Token)).Value.Content.ToString());
        }

        Assert.All(texts, text =>
        {
            for (var i = 0; i < 5; i++)
            {
                var without = except.Aggregate(text, (t, other) => t.Replace(other, string.Empty, StringComparison.OrdinalIgnoreCase));
                Assert.DoesNotContain(address, without, StringComparison.OrdinalIgnoreCase);
                text = Uri.UnescapeDataString(text);
                text = Regex.Replace(
                    text,
                    @"\\u(?<c>[0-9a-fA-F]{4})",
                    m => ((char)Convert.ToInt32(m.Groups["c"].Value, 16)).ToString(),
                    RegexOptions.ExplicitCapture,
                    TimeSpan.FromSeconds(10));
            }
        });
    }

    private static async Task ReplayAllAsync(IngestApp app, IEnumerable<TableEntity> rows)
    {
        foreach (var row in rows)
        {
            Assert.True(
                await app
                    .Services.GetRequiredService<DeadLetters>()
                    .ReplayAsync(row, app.Services.GetRequiredService<WebhookQueue>(), Test.Token));
        }

        await app.DrainedAsync();
    }

    private static string TimeOf(int daysAgo) =>
        DateTimeOffset.UtcNow.AddDays(-daysAgo).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string MessageOf(params string[] entries) => $$"""{"v":1,"webhooks":[{{string.Join(',', entries)}}]}""";

    private static string Entry(string id, string body) =>
        Encoding.UTF8.GetString(Envelope.Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", body, null))!);

    /// <summary>A clock that shows another time, while timers run as usual.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
