using System.Text;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>The three tables agree, whatever happened between two writes.</summary>
public sealed class IndexTests(AzuriteFixture azurite)
{
    private const string Processed =
        "event=processed&id=1&email_id=e1&recipients=a@x.example,b@x.example,c@x.example&time=2026-05-02T11:20:31Z";

    [Fact]
    public async Task Five_hundred_recipients_are_five_hundred_rows()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);

        await app.AcknowledgedAsync(
            "event=processed&id=1&email_id=e1&" + string.Join('&', Enumerable.Range(0, 500).Select(i => $"recipients=r{i:000}@x.example")));
        await app.DrainedAsync();

        Assert.Equal(500, (await RowsAsync(account, EventIndex.ByRecipientTable)).Count);
        await AssertAgreeAsync(account);
    }

    [Fact]
    public async Task A_message_with_many_events_of_one_email_is_written_in_transactions()
    {
        var account = azurite.NewAccount();
        var requests = new List<string>();
        var count = StorageFault.InTables(account, request =>
        {
            lock (requests)
            {
                requests.Add($"{request.Method} {request.Uri.Path}");
            }

            return null;
        });
        await using var app = await IngestApp.StartAsync(account, configure: count, pump: false);
        var time = $"{DateTime.UtcNow:yyyy-MM-dd'T'HH:mm:ss'Z'}";
        var webhooks = Enumerable
            .Range(0, 150)
            .Select(i => Entry($"w{i}", $"event=open&id={i}&email_id=e1&rcpt=a@x.example&time={time}"))
            .ToList();
        webhooks.Add(Entry("again", $"event=open&id=7&email_id=e1&rcpt=a@x.example&time={time}"));

        await StoreAsync(app, webhooks);

        // Two transactions per table, with the tables created between two tries of the first; then the repeated event on its own, and its
        // row read.
        Assert.Equal(150, (await app.EventsAsync()).Count);
        Assert.InRange(requests.Count, 8, 20);
        Assert.Empty(await app.DeadLettersAsync());
        await AssertAgreeAsync(account);
    }

    [Fact]
    public async Task A_duplicate_repairs_the_index_as_well()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.StoreAsync(Processed);
        await new TableClient(account, EventIndex.ByDayTable).DeleteAsync(Test.Token);
        await new TableClient(account, EventIndex.ByRecipientTable).DeleteAsync(Test.Token);

        await app.AcknowledgedAsync(Processed + "&sendtime=2027-01-01T00:00:00Z");
        await app.AcknowledgedAsync(Processed);
        await app.DrainedAsync();

        await AssertAgreeAsync(account);
    }

    /// <summary>Every event has its index rows, as they would be built now, and every index row has its event.</summary>
    internal static async Task AssertAgreeAsync(string account)
    {
        var blobs = new WebhookBlobs(new Azure.Storage.Blobs.BlobServiceClient(account));
        var expected = new List<string>();
        foreach (var stored in await RowsAsync(account, EventStore.TableName))
        {
            var body = await StoredBody.Of(stored).ReadAsync(blobs, Test.Token);
            Assert.True(EmailEvent.TryParse(body!, out var e, out _));
            expected.Add(Describe(EventIndex.ByDayTable, EventIndex.ByDay(e, stored)));
            expected.AddRange(EventIndex.ByRecipient(e, stored).Select(row => Describe(EventIndex.ByRecipientTable, row)));
        }

        var actual = (await RowsAsync(account, EventIndex.ByDayTable)).Select(row => Describe(EventIndex.ByDayTable, row))
            .Concat((await RowsAsync(account, EventIndex.ByRecipientTable)).Select(row => Describe(EventIndex.ByRecipientTable, row)));
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Order(), actual.Order());

        static string Describe(string table, TableEntity row) =>
            table
            + string.Join(
                '|', row.Where(p => p.Key is not ("Timestamp" or "odata.etag"))
                    .OrderBy(p => p.Key, StringComparer.Ordinal)
                    .Select(p => $"{p.Key}={p.Value}"));
    }

    internal static async Task<List<TableEntity>> RowsAsync(string account, string table)
    {
        try
        {
            return await new TableClient(account, table).QueryAsync<TableEntity>(cancellationToken: Test.Token).ToListAsync();
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return [];
        }
    }

    internal static async Task DeleteAllAsync(string account, string table)
    {
        foreach (var row in await RowsAsync(account, table))
        {
            await new TableClient(account, table).DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: Test.Token);
        }
    }

    private static string Entry(string id, string body) =>
        Encoding.UTF8.GetString(Envelope.Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", body, null))!);

    private static async Task StoreAsync(IngestApp app, IEnumerable<string> entries)
    {
        await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        await app.Queue.SendMessageAsync($$"""{"v":1,"webhooks":[{{string.Join(',', entries)}}]}""", Test.Token);
        await StoreQueuedAsync(app);
    }

    private static async Task StoreQueuedAsync(IngestApp app)
    {
        var message = (await app.Queue.ReceiveMessageAsync(TimeSpan.FromSeconds(1), Test.Token)).Value;
        await app.Services.GetRequiredService<WebhookProcessor>().StoreAsync(message, Test.Token);
    }
}
