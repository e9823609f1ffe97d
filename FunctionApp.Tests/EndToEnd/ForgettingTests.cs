using Azure.Data.Tables;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Maintaining;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>A forgotten address is gone from storage, and nothing about other people is harmed.</summary>
public sealed class ForgettingTests(AzuriteFixture azurite)
{
    private const string Grace = "grace.h@mail.example";

    [Fact]
    public async Task Events_of_people_whose_address_contains_this_one_are_left_as_they_are()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=o%27brien%40mail.example&message=%3Co%27brien%40mail.example%3E");
        await app.AcknowledgedAsync("""{"event":"delivered","id":"2","email_id":"e2","rcpt":"jürgen@mail.example","recipients":[]}""");
        await app.AcknowledgedAsync("event=bounce&id=3&email_id=e3&rcpt=team%2Fnoc%40mail.example&message=%3Cteam%2Fnoc%40mail.example%3E");
        await app.AcknowledgedAsync("""{"event":"open","id":"4","email_id":"e4","rcpt":"kai@mail.exampleü"}""");
        await app.AcknowledgedAsync("event=processed&id=5&email_id=e5&recipients=x%2Bkai%40mail.example%2Ck%3Dnoc%40mail.example");
        await app.DrainedAsync();
        var before = await app.EventsAsync();

        foreach (var address in new[] { "brien@mail.example", "rgen@mail.example", "noc@mail.example", "kai@mail.example" })
        {
            Assert.Equal(new Forgotten(), await ForgetAsync(app, address));
        }

        Assert.Equal(before.Select(row => row.ETag), (await app.EventsAsync()).Select(row => row.ETag));
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Ten_thousand_recipients_in_one_field_are_forgotten_one_after_the_other()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var recipients = Enumerable.Range(0, 10_050).Select(i => $"m{i}@list.example").ToList();
        await app.StoreAsync($"event=processed&id=1&email_id=e1&recipients={string.Join("%2C", recipients)}");

        Assert.Equal(1, (await ForgetAsync(app, "m7@list.example")).Redacted);
        Assert.Equal(1, (await ForgetAsync(app, "m9@list.example")).Redacted);

        Assert.True(EmailEvent.TryParse(await app.BodyOfAsync(Assert.Single(await app.EventsAsync())), out var e, out _));
        Assert.Equal(recipients.Except(["m7@list.example", "m9@list.example"]), e.Recipients);
        Assert.Single(e.Fields.Single(field => field.Name == "recipients").Values);
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task An_event_whose_body_is_gone_is_searched_by_its_columns()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var text = new string('m', 50_000);
        await app.AcknowledgedAsync($"event=processed&id=1&email_id=e1&recipients={Grace},henk@mail.example&message={text}");
        await app.AcknowledgedAsync($"event=delivered&id=2&email_id=e2&rcpt={Grace}&message={text}");
        await app.AcknowledgedAsync($"event=click&id=3&email_id=e3&rcpt=henk@mail.example&url=https://x.example/?to={Grace}&m={text}");
        await app.DrainedAsync();
        foreach (var row in await app.EventsAsync())
        {
            await app.Blobs.DeleteBlobAsync(row.GetString("BodyBlob"), cancellationToken: Test.Token);
        }

        Assert.Equal(new Forgotten { Deleted = 1, Redacted = 2 }, await ForgetAsync(app, Grace));

        var left = (await app.EventsAsync()).ToDictionary(row => row.PartitionKey);
        Assert.Equal("henk@mail.example", left["e1"]["recipients"]);
        Assert.Equal(("henk@mail.example", "https://x.example/?to=[forgotten]"), (left["e3"]["rcpt"], left["e3"]["url"]));
        await IndexTests.AssertAgreeAsync(account);
        Assert.Equal(new Forgotten(), await ForgetAsync(app, Grace));
    }

    [Fact]
    public async Task A_dry_run_counts_what_a_real_run_would_do_and_changes_nothing()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: Later(account));
        await app.AcknowledgedAsync($"event=delivered&id=1&email_id=e1&rcpt={Grace}");
        await app.AcknowledgedAsync($"event=processed&id=2&email_id=e2&recipients={Grace},henk@mail.example&m={new string('m', 50_000)}");
        await app.AcknowledgedAsync($"to={Grace}");
        await app.DrainedAsync();
        var before = await StateAsync();

        var planned = await app.Services.GetRequiredService<Forgetting>().ForgetAsync(Grace, dryRun: true, null, Test.Token);

        Assert.Equal(new Forgotten { Deleted = 1, Redacted = 1, DeadLetters = 1, Blobs = 1 }, planned);
        Assert.Equal(before, await StateAsync());
        Assert.Equal(planned, await ForgetAsync(app, Grace));

        async Task<List<string>> StateAsync() =>
            [.. (await app.EventsAsync()).Concat(await app.DeadLettersAsync()).Select(row => $"{row.RowKey} {row.ETag}")];
    }

    [Fact]
    public async Task A_dead_letter_keeps_what_it_says_about_others()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.AcknowledgedAsync($"to=henk@mail.example&note=not+{Grace}");
        await app.Queue.SendMessageAsync(
            """{"v":9,"webhooks":[{"body":"event=open&rcpt=grace.h%40mail.example&a=team%2Fgrace.h%40mail.example"},{"n":1}]}""",
            Test.Token);
        await app.DrainedAsync();

        Assert.Equal(2, (await ForgetAsync(app, Grace)).DeadLetters);

        Assert.Equal(
            [
                """{"to":"henk@mail.example","note":"not [forgotten]"}""",
                """{"v":9,"webhooks":[{"body":"event=open&rcpt=[forgotten]&a=team%2Fgrace.h%40mail.example"},{"n":1}]}""",
            ],
            (await app.DeadLettersAsync()).Select(row => row.GetString("Body")).Order(StringComparer.Ordinal));
        Assert.Equal(new Forgotten(), await ForgetAsync(app, Grace));
    }

    [Fact]
    public async Task A_body_named_only_in_the_text_of_a_dead_letter_is_left()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: Later(account));
        var blobs = app.Services.GetRequiredService<WebhookBlobs>();
        var body = $"event=processed&id=1&email_id=e1&recipients={Grace},henk@mail.example";
        var name = await blobs.WriteAsync(System.Text.Encoding.UTF8.GetBytes(body), Test.Token);
        await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        await app.Queue.SendMessageAsync($$"""{"v":9,"webhooks":[{"id":"1","blob":"{{name}}"}]}""", Test.Token);
        await app.DrainedAsync();

        Assert.Equal(new Forgotten { BlobsLeft = 1 }, await ForgetAsync(app, Grace));

        Assert.Equal(body, (await blobs.ReadAsync(name, Test.Token))?.ToString());
    }

    [Fact]
    public async Task A_telephone_number_is_forgotten_in_SMS_events()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("event=sms_delivered&id=1&message_id=s1&destination_number=%2B491512345678");
        await app.AcknowledgedAsync("event=sms_failed&id=2&message_id=s2&destination_number=%2B4915123456789&note=not+%2B491512345678");
        await app.DrainedAsync();

        Assert.Equal(new Forgotten { Deleted = 1, Redacted = 1 }, await ForgetAsync(app, "+49 151 234-5678"));

        var left = Assert.Single(await app.EventsAsync());
        Assert.Equal(("+4915123456789", "not [forgotten]"), (left["destination_number"], left["note"]));
        await IndexTests.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task The_body_of_a_webhook_that_arrives_during_a_run_is_left_whatever_the_operators_clock_says()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, pump: false);
        await using var operators = await IngestApp.StartAsync(
            account, configure: services => services.AddSingleton<TimeProvider>(new FastClock()), pump: false);
        await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=henk@mail.example");
        await app.StoreQueuedAsync();
        var body = $"event=processed&id=2&email_id=e2&recipients={Grace},henk@mail.example&message={new string('m', 50_000)}";
        var progress = new FirstReport(() => app.AcknowledgedAsync(body).GetAwaiter().GetResult());

        await operators.Services.GetRequiredService<Forgetting>().ForgetAsync(Grace, dryRun: false, progress, Test.Token);

        Assert.True(progress.HasCome);
        await app.StoreQueuedAsync();
        Assert.Empty(await app.DeadLettersAsync());
        Assert.Equal(2, (await app.EventsAsync()).Count);
    }

    [Theory]
    [InlineData($"event=delivered&id=1&email_id=e1&rcpt={Grace}", 1, 0)]
    [InlineData($"event=processed&id=1&email_id=e1&recipients={Grace},henk@mail.example", 0, 1)]
    [InlineData($"event=open&id=1&email_id=e1&rcpt=henk@mail.example&message=not+{Grace}", 0, 1)]
    public async Task A_row_that_is_written_during_a_run_is_read_and_checked_again(string body, int deleted, int redacted)
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account);
        var stored = await other.StoreAsync(body);
        await using var app = await MeetingAsync(account, request => IsWriteOf(request, stored), async () =>
        {
            stored["Meanwhile"] = true;
            await other.Events.UpdateEntityAsync(stored, Azure.ETag.All, TableUpdateMode.Replace, Test.Token);
        });

        Assert.Equal(new Forgotten { Deleted = deleted, Redacted = redacted }, await ForgetAsync(app, Grace));

        Assert.Equal(redacted, (await app.EventsAsync()).Count);
        Assert.All(await app.EventsAsync(), row => Assert.DoesNotContain(Grace, row.GetString("Body"), StringComparison.Ordinal));
        if (redacted > 0)
        {
            await IndexTests.AssertAgreeAsync(account);
        }

        Assert.Equal(new Forgotten(), await ForgetAsync(other, Grace));
    }

    [Theory]
    [InlineData($"event=processed&id=1&email_id=e1&recipients={Grace},henk@mail.example")]
    [InlineData($"event=open&id=1&email_id=e1&rcpt=henk@mail.example&message=not+{Grace}")]
    public async Task An_event_that_is_deleted_during_a_run_does_not_come_back(string body)
    {
        var account = azurite.NewAccount();
        await using var other = await IngestApp.StartAsync(account);
        var stored = await other.StoreAsync($"{body}&time=2020-01-01T00:00:00Z");
        await using var app = await MeetingAsync(
            account,
            request => IsWriteOf(request, stored),
            () => other.Services.GetRequiredService<Retention>().PurgeAsync(DateTimeOffset.UtcNow, dryRun: false, null, Test.Token));

        await ForgetAsync(app, Grace);

        foreach (var table in new[] { EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            Assert.Empty(await IndexTests.RowsAsync(account, table));
        }
    }

    [Fact]
    public async Task An_index_row_that_a_run_left_behind_is_found_by_the_next()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var row = await app.StoreAsync($"event=delivered&id=1&email_id=e1&rcpt={Grace}");
        await app.Events.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: Test.Token);

        Assert.Equal(new Forgotten { IndexRows = 2 }, await ForgetAsync(app, Grace));

        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
    }

    [Fact]
    public Task Forgetting_one_of_many_changes_nothing_that_is_stored_about_anybody_else() => GeneratedPeople.Any(events: 20).SampleAsync(
        async people =>
        {
            var account = azurite.NewAccount();
            await using var app = await IngestApp.StartAsync(account);
            await app.AcknowledgedAsync("event=open&id=1&email_id=somebody&rcpt=nobody@post.example");
            foreach (var generated in people.Events)
            {
                await app.AcknowledgedAsync(generated.Body);
            }

            await app.DrainedAsync();
            var before = (await app.EventsAsync()).ToDictionary(row => row.PartitionKey);

            await ForgetAsync(app, people.One);

            var after = (await app.EventsAsync()).ToDictionary(row => row.PartitionKey);
            foreach (var generated in people.Events)
            {
                var e = RedactionPropertyTests.Read(generated.Body);
                Assert.Equal(!generated.IsAboutOne, after.TryGetValue(e.EmailId!, out var row));
                if (row is not null)
                {
                    var stored = RedactionPropertyTests.Read(row.GetString("Body"));
                    RedactionPropertyTests.AssertForgotten(people.One, generated, e, stored);
                    Assert.True(row.ContainsKey("Redacted") || row.ETag == before[e.EmailId!].ETag);
                }
            }

            await IndexTests.AssertAgreeAsync(account);
            Assert.Equal(new Forgotten(), await ForgetAsync(app, people.One));
        },
        iter: 6,
        threads: 1,
        print: people => $"{people.One}\n{string.Join('\n', people.Events.Select(e => e.Body))}");

    private static Task<Forgotten> ForgetAsync(IngestApp app, string address) =>
        app.Services.GetRequiredService<Forgetting>().ForgetAsync(address, dryRun: false, null, Test.Token);

    /// <summary>Sets storage's clock ahead: otherwise a body that has just arrived would be left alone.</summary>
    internal static Action<IServiceCollection> Later(string account) => StorageWire.Shifted(account, () => TimeSpan.FromMinutes(1));

    /// <summary>An app for which something else happens just before its first such request.</summary>
    internal static Task<IngestApp> MeetingAsync(string account, Func<HttpRequestMessage, bool> isMet, Func<Task> meanwhile)
    {
        var met = 0;
        return IngestApp.StartAsync(
            account,
            configure: StorageWire.Between(account, async (request, send, _) =>
            {
                if (isMet(request) && Interlocked.Exchange(ref met, 1) == 0)
                {
                    await meanwhile();
                }

                return await send();
            }),
            pump: false);
    }

    private static bool IsWriteOf(HttpRequestMessage request, TableEntity row) =>
        request.Method != HttpMethod.Get
        && Uri.UnescapeDataString(request.RequestUri!.AbsolutePath) is var path
        && (path.EndsWith("/Smtp2GoEvents", StringComparison.Ordinal)
            || path.EndsWith($"/Smtp2GoEvents(PartitionKey='{row.PartitionKey}',RowKey='{row.RowKey}')", StringComparison.Ordinal));

    private sealed class FastClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddMinutes(1);
    }

    private sealed class FirstReport(Action then) : IProgress<long>
    {
        public bool HasCome { get; private set; }

        public void Report(long value)
        {
            if (!HasCome)
            {
                HasCome = true;
                then();
            }
        }
    }
}
