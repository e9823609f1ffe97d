using System.Globalization;
using System.Text;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;
using Smtp2GoIngest.Tests.Storing;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>From a POST to rows in real tables: identity, sizes, odd payloads, and what cannot be stored.</summary>
public sealed class StoringTests(AzuriteFixture azurite)
{
    private const string Event =
        "event=open&id=0f&email_id=e1&rcpt=a@x.example&time=2026-05-02T11:20:31Z&sendtime=2026-05-02T11:20:31.1Z&message=m";

    [Fact]
    public async Task The_same_body_five_times_at_once_is_one_row()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => app.AcknowledgedAsync(Event)));
        await app.AcknowledgedAsync(Event);
        await app.DrainedAsync();

        Assert.Single(await app.EventsAsync());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task Two_recipients_are_two_rows()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());

        await app.AcknowledgedAsync(Event);
        await app.AcknowledgedAsync(Event.Replace("rcpt=a@", "rcpt=b@", StringComparison.Ordinal));
        await app.DrainedAsync();

        Assert.Equal(["a@x.example", "b@x.example"], (await app.EventsAsync()).Select(row => row.GetString("rcpt")).Order());
    }

    [Theory]
    [InlineData("message=m", "message=other", true)]
    [InlineData("sendtime=2026-05-02T11:20:31.1Z", "sendtime=2026-05-02T11:59:59.9Z", false)]
    [InlineData("event=open", "event=opened", false)]
    [InlineData("&message=m", "", true)]
    public async Task An_event_with_the_same_id_is_a_conflict_unless_it_says_the_same(string part, string other, bool isConflict)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.StoreAsync(Event);

        var second = Event.Replace(part, other, StringComparison.Ordinal);
        await app.AcknowledgedAsync(second);
        await app.DrainedAsync();

        Assert.Equal(Event, Assert.Single(await app.EventsAsync()).GetString("Body"));
        var deadLetters = await app.DeadLettersAsync();
        Assert.Equal(isConflict ? ["conflict"] : [], deadLetters.Select(row => row.GetString("Reason")));
        Assert.All(deadLetters, row => Assert.Equal(second, row.GetString("Body")));
    }

    [Fact]
    public async Task A_conflict_beyond_what_fits_into_a_column_is_seen_too()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = $"{Event}{new string('m', 50_000)}";
        await app.StoreAsync(body);

        await app.AcknowledgedAsync(body.Replace("sendtime=2026", "sendtime=2027", StringComparison.Ordinal));
        await app.AcknowledgedAsync(body + "x");
        await app.DrainedAsync();

        Assert.Single(await app.EventsAsync());
        Assert.Equal(["conflict"], (await app.DeadLettersAsync()).Select(row => row.GetString("Reason")));
    }

    [Theory]
    [InlineData(200_000)]
    [InlineData(900_000)]
    public async Task A_large_body_is_stored_whole_in_a_blob(int size)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = $"{Event}{new string('m', size)}";

        var row = await app.StoreAsync(body);

        Assert.False(row.ContainsKey("Body"));
        Assert.Equal(Encoding.UTF8.GetBytes(body), await app.BodyOfAsync(row));
        Assert.Equal(true, row["Truncated"]);
        Assert.Equal("a@x.example", row["rcpt"]);
        Assert.Empty(AzureLimits.Problems(row));
    }

    [Theory]
    [InlineData("\\\"")]
    [InlineData("\\u0001")]
    [InlineData("\u00e9")]
    [InlineData("<")]
    public async Task Twenty_four_kibibytes_that_escapes_make_longer_are_stored(string character)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var value = string.Concat(Enumerable.Repeat(character, 24 * 1024 / character.Length));
        var body = $$"""{"event":"open","email_id":"e1","message":"{{value}}"}""";

        var row = await app.StoreAsync(body);

        Assert.Equal(Encoding.UTF8.GetBytes(body), await app.BodyOfAsync(row));
        Assert.Equal(
            value.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\u0001", "\u0001", StringComparison.Ordinal), row["message"]);
    }

    public static TheoryData<string, string> Odd => new()
    {
        { "300 fields", "event=open&" + string.Join('&', Enumerable.Range(0, 300).Select(i => $"f{i}=x")) },
        { "a long value", $"event=open&message={new string('x', 100_000)}" },
        {
            "odd names",
            "event=open&X-%C3%9Cn%C3%AF/%C3%A7%C3%B8d%C3%A9%231=a&1st=b&PartitionKey=c&Timestamp=d&odata.etag=e&RowKey=f&Body=g&=h"
        },
        { "an odd email_id", "event=open&email_id=%2F%23%3F%25%3D%09%5C'%22%2B+" + new string('e', 2000) },
        { "a time in 1500", "event=open&time=1500-01-01T00:00:00Z" },
        { "broken encoding", "event=open&message=%zz%4&%=1&other=%ff%fe" },
        { "a lone surrogate", """{"event":"open","message":"x\ud800","\udfff":"y"}""" },
        { "a repeated event", "event=open&event=click&event=" },
        { "a numeric id", """{"event":"open","id":12345,"email_id":67}""" },
        { "an empty email_id", "event=open&email_id=&id=&rcpt=&time=" },
        { "nothing but an event", "event=open" },
        { "an event of odd characters", "event=%2F%23%3F%25_%09%C2%80\u00e9" },
        { "a long event", $"event={new string('e', 5000)}" },
        { "nested json", """{"event":"open","context":{"a":[1,{"b":null}]},"list":[[],{}]}""" },
        {
            "every control character",
            "event=open&message=" + string.Concat(Enumerable.Range(0, 160).Select(c => Uri.EscapeDataString(((char)c).ToString())))
        },
        { "quotes in keys", "event=open&email_id='x'''&id=''" },
        { "a null among recipients", "event=processed&recipients=[\"a@x\",null]" },
        { "a byte order mark", "\uFEFF{\"event\":\"open\"}" },
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task An_odd_payload_is_stored_within_azures_limits_and_lossless(string what, string body)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());

        var row = await app.StoreAsync(body);

        Assert.Empty(AzureLimits.Problems(row));
        Assert.Equal(Encoding.UTF8.GetBytes(body), await app.BodyOfAsync(row));
        Assert.Equal(what is "300 fields" or "a long value", row.ContainsKey("Truncated"));

        await app.AcknowledgedAsync(body);
        await app.DrainedAsync();
        Assert.Single(await app.EventsAsync());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task The_same_large_body_is_one_blob_written_once()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = $"{Event}{new string('m', 100_000)}";
        var row = await app.StoreAsync(body);
        var blob = app.Blobs.GetBlobClient(row.GetString("BodyBlob"));
        var first = (await blob.GetPropertiesAsync(cancellationToken: Test.Token)).Value;

        await app.AcknowledgedAsync(body);
        await app.DrainedAsync();

        var second = (await blob.GetPropertiesAsync(cancellationToken: Test.Token)).Value;
        Assert.Equal(first.CreatedOn, second.CreatedOn);
        Assert.NotEqual(first.ETag, second.ETag); // Touched, so that it is not swept.
        Assert.Single(await app.EventsAsync());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task A_body_that_is_not_UTF8_is_kept_byte_for_byte()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        byte[] body = [.. "event=open&message="u8, 0xFF, 0xFE, 0xC3];

        await app.AcknowledgedAsync(body);
        await app.DrainedAsync();

        var row = Assert.Single(await app.EventsAsync());
        Assert.Equal(body, await app.BodyOfAsync(row));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", row["message"]);
    }

    [Theory]
    [InlineData("other=thing", "no-event")]
    [InlineData("event=Unavailable", "no-event")]
    [InlineData("{}", "no-event")]
    public async Task A_well_formed_body_without_an_event_is_acknowledged_and_kept(string body, string reason)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());

        await app.AcknowledgedAsync(body, "text/x-test");
        await app.DrainedAsync();

        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal((reason, body, "text/x-test"), (kept["Reason"], kept["Body"], kept["ContentType"]));
        Assert.Equal(kept.PartitionKey, kept.GetDateTimeOffset("ReceivedAt")!.Value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        Assert.EndsWith("_" + kept.GetString("WebhookId"), kept.RowKey, StringComparison.Ordinal);
        Assert.NotEmpty(kept.GetString("Error"));
        Assert.Empty(await app.EventsAsync());
    }

    [Fact]
    public async Task A_dead_letter_with_a_large_body_refers_to_its_blob()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = string.Join('&', Enumerable.Range(0, 10_001).Select(i => $"f{i}=x"));

        await app.AcknowledgedAsync(body);
        await app.DrainedAsync();

        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal("unparsable", kept["Reason"]);
        Assert.Equal(Encoding.UTF8.GetBytes(body), await app.BodyOfAsync(kept));
    }

    [Fact]
    public async Task A_message_that_is_not_ours_is_kept_as_it_is()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.Queue.CreateAsync(cancellationToken: Test.Token);
        var long60 = new string('x', 60_000);

        foreach (var text in new[] { "hello", """{"v":99,"webhooks":[{"id":"1"}]}""", long60 })
        {
            await app.Queue.SendMessageAsync(text, Test.Token);
        }

        await app.DrainedAsync();

        var kept = await app.DeadLettersAsync();
        Assert.Equal(3, kept.Count);
        Assert.All(kept, row => Assert.Equal("unreadable", row["Reason"]));
        Assert.Contains(kept, row => row.GetString("Body") == "hello");
        Assert.Contains(
            kept, row =>
                row.GetString("Body") == """{"v":99,"webhooks":[{"id":"1"}]}"""
                && row.GetString("Error").Contains("version 99", StringComparison.Ordinal));
        Assert.Equal(long60, Encoding.UTF8.GetString(await app.BodyOfAsync(kept.Single(row => row.ContainsKey("BodyBlob")))));
    }

    [Fact]
    public async Task One_broken_webhook_never_holds_up_its_neighbours()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.Queue.CreateAsync(cancellationToken: Test.Token);

        await app.Queue.SendMessageAsync(
            MessageOf(
                Entry("1", "event=open&email_id=e1"),
                """{"id":7}""",
                Entry("2", "not a body"),
                EntryOfBlob("3"),
                Entry("4", "event=click&email_id=e1")),
            Test.Token);
        await app.DrainedAsync();

        Assert.Equal(["click", "open"], (await app.EventsAsync()).Select(row => row.GetString("event")).Order());
        Assert.Equal(
            ["blob-missing", "unparsable", "unreadable"], (await app.DeadLettersAsync()).Select(row => row.GetString("Reason")).Order());
        Assert.Contains(await app.DeadLettersAsync(), row => row.GetString("Body") == """{"id":7}""");
    }

    [Fact]
    public async Task A_row_that_storage_refuses_for_good_is_kept_with_the_error_code()
    {
        var account = azurite.NewAccount();
        var refuse = StorageFault.InTables(
            account, request =>
                !request.Uri.Path.Contains("DeadLetters", StringComparison.Ordinal)
                && StorageFault.BodyOf(request).Contains("refuse-me", StringComparison.Ordinal)
                    ? new RequestFailedException(400, "no", "PropertyValueTooLarge", null)
                    : null);
        await using var app = await IngestApp.StartAsync(account, configure: refuse);
        await app.Queue.CreateAsync(cancellationToken: Test.Token);

        await app.Queue.SendMessageAsync(
            MessageOf(Entry("1", "event=open"), Entry("2", "event=refuse-me"), Entry("3", "event=click")), Test.Token);
        await app.DrainedAsync();

        Assert.Equal(["click", "open"], (await app.EventsAsync()).Select(row => row.GetString("event")).Order());
        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal(("refused", "event=refuse-me"), (kept["Reason"], kept["Body"]));
        Assert.Contains("PropertyValueTooLarge", kept.GetString("Error"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(408)]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(0)]
    public async Task While_storage_fails_the_message_comes_again_and_the_others_are_stored(int status)
    {
        var account = azurite.NewAccount();
        var failures = 0;
        var fail = StorageFault.InTables(account, request =>
            StorageFault.BodyOf(request).Contains("fail-me", StringComparison.Ordinal) && Interlocked.Increment(ref failures) <= 3
                ? new RequestFailedException(status, "no", "SomeCode", null) : null);
        await using var app = await IngestApp.StartAsync(account, configure: fail);
        await app.Queue.CreateAsync(cancellationToken: Test.Token);

        await app.Queue.SendMessageAsync(MessageOf(Entry("1", "event=fail-me"), Entry("2", "event=click")), Test.Token);
        await app.DrainedAsync();

        Assert.InRange(failures, 4, int.MaxValue);
        Assert.Equal(["click", "fail-me"], (await app.EventsAsync()).Select(row => row.GetString("event")).Order());
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task A_dead_letter_whose_text_the_table_refuses_keeps_it_in_a_blob()
    {
        var account = azurite.NewAccount();
        var refuse = StorageFault.InTables(
            account, request =>
                StorageFault.BodyOf(request).Contains("odd text", StringComparison.Ordinal)
                    ? new RequestFailedException(400, "no", "InvalidInput", null)
                    : null);
        await using var app = await IngestApp.StartAsync(account, configure: refuse);

        await app.AcknowledgedAsync("a=odd text");
        await app.DrainedAsync();

        var kept = Assert.Single(await app.DeadLettersAsync());
        Assert.Equal("a=odd text"u8.ToArray(), await app.BodyOfAsync(kept));
    }

    [Fact]
    public async Task What_the_host_gave_up_on_is_stored_after_all_if_storage_accepts_it()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var poison = new QueueClient(account, WebhookQueue.PoisonName);
        await poison.CreateAsync(cancellationToken: Test.Token);

        await poison.SendMessageAsync(MessageOf(Entry("1", "event=open"), "7", Entry("2", "event=click")), Test.Token);
        await poison.SendMessageAsync("hello", Test.Token);
        await app.DrainedAsync();

        Assert.Equal(["1", "2"], (await app.EventsAsync()).Select(row => row.GetString("WebhookId")).Order());
        Assert.Equal(["unreadable", "unreadable"], (await app.DeadLettersAsync()).Select(row => row.GetString("Reason")));
    }

    [Fact]
    public async Task What_the_host_gave_up_on_and_still_fails_is_kept_one_by_one()
    {
        var account = azurite.NewAccount();
        var fail = StorageFault.InTables(account, request =>
            !request.Uri.Path.Contains("DeadLetters", StringComparison.Ordinal)
            && StorageFault.BodyOf(request).Contains("fail-me", StringComparison.Ordinal)
                ? new RequestFailedException(503, "busy: fail-me@x.example", "ServerBusy", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: fail);
        var poison = new QueueClient(account, WebhookQueue.PoisonName);
        await poison.CreateAsync(cancellationToken: Test.Token);

        string[] bodies = ["event=fail-me&email_id=e1", "event=open&email_id=e2", "event=fail-me&email_id=e3"];
        await poison.SendMessageAsync(MessageOf([.. bodies.Select((body, i) => Entry($"{i}", body))]), Test.Token);
        await app.DrainedAsync();

        Assert.Equal("1", Assert.Single(await app.EventsAsync()).GetString("WebhookId"));
        var kept = (await app.DeadLettersAsync()).OrderBy(row => row.GetString("WebhookId"), StringComparer.Ordinal).ToList();
        Assert.Equal([("0", bodies[0]), ("2", bodies[2])], kept.Select(row => (row.GetString("WebhookId"), row.GetString("Body"))));
        Assert.All(kept, row => Assert.Equal("poison", row.GetString("Reason")));
        Assert.All(kept, row => Assert.Equal(
            "Storing failed too often: ServerBusy (503). Fix that, then replay it.", row.GetString("Error")));
    }

    [Fact]
    public async Task What_the_host_gave_up_on_is_stored_only_at_the_first_try()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        var text = MessageOf(Entry("1", "event=open"), "7", Entry("2", "event=click"));
        var seenTwice = QueuesModelFactory.QueueMessage("m", "r", text, 2, null, DateTimeOffset.UtcNow);

        await app.Services.GetRequiredService<WebhookProcessor>().KeepPoisonAsync(seenTwice, Test.Token);

        Assert.Empty(await app.EventsAsync());
        Assert.Equal(["poison", "poison", "unreadable"], (await app.DeadLettersAsync()).Select(row => row.GetString("Reason")).Order());
    }

    [Fact]
    public async Task A_second_look_at_what_the_host_gave_up_on_keeps_neither_what_is_stored_nor_what_was_kept()
    {
        var account = azurite.NewAccount();
        var fail = StorageFault.InTables(account, request =>
            !request.Uri.Path.Contains("DeadLetters", StringComparison.Ordinal)
            && StorageFault.BodyOf(request).Contains("fail-me", StringComparison.Ordinal)
                ? new RequestFailedException(503, "busy", "ServerBusy", null)
                : null);
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(
            account,
            configure: services =>
            {
                fail(services);
                emitted.AddTo(services);
            },
            pump: false);
        var text = MessageOf(
            Entry("1", "event=open&id=1&email_id=e1&rcpt=a@x"),
            Entry("2", "event=fail-me&id=2"),
            Entry("3", "no=event"),
            "7",
            Entry("5", "event=open&id=5&email_id=e1&rcpt=a@x"));
        var processor = app.Services.GetRequiredService<WebhookProcessor>();
        for (var time = 1; time <= 3; time++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => processor.StoreAsync(Message("m", time), Test.Token));
        }

        // Its index rows are gone as well: the second look writes them again.
        await IndexTests.DeleteAllAsync(account, EventIndex.ByDayTable);
        await processor.KeepPoisonAsync(Message("copy", 2), Test.Token);

        Assert.Equal(["1", "5"], (await app.EventsAsync()).Select(row => row.GetString("id")).Order());
        Assert.Equal(
            ["no-event 3", "poison 2", "unreadable "],
            (await app.DeadLettersAsync()).Select(row => $"{row["Reason"]} {row.GetString("WebhookId")}").Order());
        await IndexTests.AssertAgreeAsync(account);
        Assert.Equal(
            ["1 no-event", "1 poison", "1 unreadable"],
            emitted.MeasuredBy(app.Services)
                .Where(line => line.StartsWith("metric Smtp2GoIngest webhooks.dead_lettered", StringComparison.Ordinal))
                .Select(line => line.Split(' '))
                .GroupBy(words => words[^1].TrimEnd(']'))
                .Select(reason => $"{reason.Count()} {reason.Key}")
                .Order());

        QueueMessage Message(string id, int dequeueCount) =>
            QueuesModelFactory.QueueMessage(id, "r", text, dequeueCount, null, DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task A_second_look_that_failed_is_repeated_and_one_that_crashed_the_process_is_not()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        var isAway = false;
        var away = StorageFault.InTables(account, request =>
            isAway
            && request.Method == Azure.Core.RequestMethod.Get
            && request.Uri.Path.Contains("Smtp2GoEvents(", StringComparison.Ordinal)
                ? new RequestFailedException(503, "busy", "ServerBusy", null)
                : null);
        await using var app = await IngestApp.StartAsync(
            account,
            configure: services =>
            {
                away(services);
                emitted.AddTo(services);
            },
            pump: false);
        var processor = app.Services.GetRequiredService<WebhookProcessor>();
        var text = MessageOf(Entry("1", "event=open&id=1&email_id=e1&rcpt=a@x"));
        var message = QueuesModelFactory.QueueMessage("m", "r", text, 2, null, DateTimeOffset.UtcNow);
        await processor.StoreAsync(message, Test.Token);

        isAway = true;
        await Assert.ThrowsAnyAsync<Exception>(() => processor.KeepPoisonAsync(message, Test.Token));
        var kept = Assert.Single(await app.DeadLettersAsync());
        isAway = false;
        await processor.KeepPoisonAsync(message, Test.Token);
        Assert.Empty(await app.DeadLettersAsync());

        // As left behind by a look that crashed the process.
        kept["IsAsking"] = true;
        await app.DeadLetters.AddEntityAsync(kept, Test.Token);
        await processor.KeepPoisonAsync(message, Test.Token);
        Assert.Single(await app.DeadLettersAsync());
        Assert.Single(
            emitted.MeasuredBy(app.Services),
            line => line.StartsWith("metric Smtp2GoIngest webhooks.dead_lettered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dead_letter_whose_answer_was_lost_is_reported()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        var lost = 0;
        var wire = StorageWire.Between(account, async (request, send, _) =>
        {
            var answer = await send();
            return answer.IsSuccessStatusCode
                && request.Method != HttpMethod.Get
                && request.RequestUri!.AbsolutePath.Contains("DeadLetters", StringComparison.Ordinal)
                && Interlocked.Exchange(ref lost, 1) == 0
                ? throw new HttpRequestException("The answer is lost.")
                : answer;
        });
        await using var app = await IngestApp.StartAsync(account, configure: services =>
        {
            wire(services);
            emitted.AddTo(services);
        });

        await app.AcknowledgedAsync("no=event");
        await app.DrainedAsync();

        Assert.Equal(1, lost);
        Assert.Single(await app.DeadLettersAsync());
        Assert.Single(
            emitted.MeasuredBy(app.Services),
            line => line.StartsWith("metric Smtp2GoIngest webhooks.dead_lettered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_kept_in_a_blob_because_the_table_refuses_its_text_is_settled_when_it_comes_again()
    {
        var account = azurite.NewAccount();
        var refuse = StorageFault.InTables(account, request =>
            StorageFault.BodyOf(request).Contains("odd text", StringComparison.Ordinal)
                ? new RequestFailedException(400, "no", "InvalidInput", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: refuse, pump: false);
        var message = QueuesModelFactory.QueueMessage("m", "r", MessageOf(Entry("1", "a=odd text")), 1, null, DateTimeOffset.UtcNow);
        var processor = app.Services.GetRequiredService<WebhookProcessor>();

        await processor.StoreAsync(message, Test.Token);
        await processor.StoreAsync(message, Test.Token);

        Assert.Equal("a=odd text"u8.ToArray(), await app.BodyOfAsync(Assert.Single(await app.DeadLettersAsync())));
    }

    [Fact]
    public async Task An_event_whose_index_row_failed_once_is_counted_once()
    {
        using var emitted = new Emitted();
        var account = azurite.NewAccount();
        var failures = 0;
        var fail = StorageFault.InTables(account, request =>
            request.Uri.Path.Contains("ByDay", StringComparison.Ordinal) && Interlocked.Increment(ref failures) == 1
                ? new RequestFailedException(500, "no", "InternalError", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, configure: services =>
        {
            fail(services);
            emitted.AddTo(services);
        });

        await app.StoreAsync("event=open&id=1&email_id=e1&rcpt=a@x");

        Assert.InRange(failures, 2, int.MaxValue);
        Assert.Single(
            emitted.MeasuredBy(app.Services), line => line.StartsWith("metric Smtp2GoIngest events.stored", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("opt-out", "opt-out")]
    [InlineData("sms_opt_out", "opt-out")]
    [InlineData("unheard-of", "other")]
    public async Task Only_an_unknown_event_is_counted_as_other(string sent, string counted)
    {
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), configure: emitted.AddTo);

        await app.StoreAsync($"event={sent}&id=1&message_id=m1&destination_number=%2B64215550199");

        Assert.Contains(
            emitted.MeasuredBy(app.Services),
            line => line.StartsWith("metric Smtp2GoIngest events.stored", StringComparison.Ordinal)
                && line.Contains(counted, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_seen_twice_makes_one_row_and_no_dead_letter()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        await app.Queue.CreateAsync(cancellationToken: Test.Token);
        var message = MessageOf(Entry("1", "event=open&email_id=e1"));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => app.Queue.SendMessageAsync(message, Test.Token)));
        await app.DrainedAsync();

        Assert.Equal("1", Assert.Single(await app.EventsAsync()).GetString("WebhookId"));
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task A_message_never_expires_and_is_what_the_envelope_says()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);

        await app.AcknowledgedAsync("event=open&subject=\u00e9", "application/x-www-form-urlencoded");
        await app.AcknowledgedAsync("event=click");

        var messages = (await app.Queue.PeekMessagesAsync(32, Test.Token)).Value;
        Assert.Equal(2, messages.Length);
        Assert.All(messages, m => Assert.True(m.ExpiresOn > DateTimeOffset.UtcNow.AddYears(100)));
        var message = messages.Single(m => m.Body.ToString().Contains("subject", StringComparison.Ordinal));
        var webhook = Assert.Single(Envelope.Read(message.Body.ToString()).Entries).Webhook!;
        Assert.Equal(
            ("event=open&subject=\u00e9", "application/x-www-form-urlencoded", 32), (webhook.Body, webhook.ContentType, webhook.Id.Length));
        Assert.StartsWith("{\"v\":1,\"webhooks\":[", message.Body.ToString(), StringComparison.Ordinal);
    }

    private static string MessageOf(params string[] entries) => $$"""{"v":1,"webhooks":[{{string.Join(',', entries)}}]}""";

    private static string Entry(string id, string body) =>
        Encoding.UTF8.GetString(Envelope.Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", body, null))!);

    private static string EntryOfBlob(string id) =>
        Encoding.UTF8.GetString(Envelope.Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", null, new string('0', 64)))!);
}
