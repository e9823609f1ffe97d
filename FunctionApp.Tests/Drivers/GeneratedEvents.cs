using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>More than 10,000 events from 34 days in one storage account, and the truth about them.</summary>
/// <remarks>
/// In an Azurite of its own, in memory: the one that all other tests share writes all its rows to disk every five seconds and answers
/// nobody in the meantime.
/// </remarks>
public sealed class GeneratedEvents : IAsyncLifetime
{
    /// <summary>The tests that share them.</summary>
    public const string Tests = "generated events";

    public const string LongEmail = "1wlong-FnQW0hPru7M-NRRC";
    public const string BusyAddress = "Busy.O'Hara+x@Example.org";
    public const string OtherEvent = "list/unknown~é";

    private const int Emails = 2_700;
    private const int LongEmailEvents = 1_300;
    private const int Addresses = 40;

    private readonly List<Event> all = [];
    private Azurite? azurite;

    /// <summary>The current time for the tests; two of the generated days are later.</summary>
    public static DateTimeOffset Now { get; } = new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);

    public string ConnectionString => azurite!.ConnectionString;

    internal IReadOnlyList<Event> All => all;

    public async ValueTask InitializeAsync()
    {
        azurite = await Azurite.StartAsync(null, [], Test.Token);
        Generate();
        var parsed = all.Select(e => (Event: e, Email: Read(e.Body))).ToList();
        var stored = parsed
            .Select(
                (e, i) =>
                    (
                        e.Email,
                        Row: EventColumns.ToRow(
                            e.Email,
                            new ReceivedWebhook($"{i:x32}", e.Event.Time ?? Now, "application/x-www-form-urlencoded", e.Event.Body, null))))
            .ToList();
        var service = new TableServiceClient(ConnectionString);
        await WriteAsync(service.GetTableClient(EventStore.TableName), stored.Select(e => e.Row));
        await WriteAsync(service.GetTableClient(EventIndex.ByDayTable), stored.Select(e => EventIndex.ByDay(e.Email, e.Row)));
        await WriteAsync(
            service.GetTableClient(EventIndex.ByRecipientTable), stored.SelectMany(e => EventIndex.ByRecipient(e.Email, e.Row)));
    }

    private static async Task WriteAsync(TableClient table, IEnumerable<TableEntity> rows)
    {
        await table.CreateAsync(Test.Token);
        foreach (var chunk in rows.GroupBy(row => row.PartitionKey).SelectMany(partition => partition.Chunk(50)))
        {
            await table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), Test.Token);
        }
    }

    public ValueTask DisposeAsync() => azurite?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static EmailEvent Read(string body)
    {
        Assert.True(WebhookBody.TryParse(BinaryData.FromString(body), out var fields, out _));
        Assert.True(EmailEvent.TryCreate(fields, out var emailEvent));
        return emailEvent;
    }

    private void Generate()
    {
        for (var i = 0; i < Emails; i++)
        {
            var time = new DateTimeOffset(2026, 4, 30, 0, 0, 0, TimeSpan.Zero).AddDays(i % 34).AddSeconds(i);
            var (email, address) = ($"1w{i:00000}-abc", $"user{i % Addresses}@example.org");
            var isTest = i % 97 == 0;
            string[] recipients =
                i % 10 == 0 ? [address, $"USER{(i + 1) % Addresses}@example.org", $"user{(i + 2) % Addresses}@example.org"] : [address];
            Add(
                "processed",
                time,
                email,
                recipients,
                isTest,
                string.Concat(recipients.Select(r => $"&recipients={Uri.EscapeDataString(r)}")));
            var bounces = i % 20 == 3;
            var isHard = bounces && i % 3 != 0;
            Add(
                bounces ? "bounce" : "delivered",
                time.AddSeconds(2),
                email,
                [address],
                isTest,
                $"&rcpt={address}{(bounces ? $"&bounce={(isHard ? "hard" : "soft")}" : string.Empty)}",
                isHard);
            if (!bounces)
            {
                Add("open", time.AddMinutes(1), email, [address], isTest, $"&rcpt={address}");
            }

            if (i % 50 == 7)
            {
                Add("spam", time.AddMinutes(2), email, [address], isTest, $"&rcpt={address}");
            }
        }

        for (var i = 0; i < LongEmailEvents; i++)
        {
            var time = new DateTimeOffset(2026, 5, 20, 10, 0, 0, TimeSpan.Zero).AddSeconds(i);
            Add(
                "click",
                time,
                LongEmail,
                [BusyAddress],
                isTest: false,
                $"&rcpt={Uri.EscapeDataString(i % 2 == 0 ? BusyAddress : BusyAddress.ToUpperInvariant())}"
                + $"&url=https%3A%2F%2Fshop.example.com%2F{i}");
        }

        for (var i = 0; i < 1_500; i++)
        {
            Add(
                "unsubscribe",
                new DateTimeOffset(2026, 5, 31, 1, 0, 0, TimeSpan.Zero).AddSeconds(i),
                "1wmany-" + (i / 100),
                ["many@example.org"],
                isTest: false,
                "&rcpt=many%40example.org");
        }

        Add(
            OtherEvent,
            new DateTimeOffset(2026, 5, 31, 2, 0, 0, TimeSpan.Zero),
            "1wother",
            ["other@example.org"],
            isTest: false,
            "&rcpt=other%40example.org&X-Campaign=spring%2C+%22early%22%0Abird&subject=a%1B%5B2Jb");
        Add("reject", null, "1wnotime", ["other@example.org"], isTest: false, "&rcpt=other%40example.org");
    }

    private void Add(
        string name, DateTimeOffset? time, string email, string[] recipients, bool isTest, string fields, bool isHardBounce = false)
    {
        var at = time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var body = $"event={Uri.EscapeDataString(name)}&id={all.Count:x32}&email_id={email}{(at is null ? string.Empty : $"&time={at}")}"
            + (isTest ? "&subject=Mail+test+-+please+ignore&sendtime=2015-01-01T00:00:00Z" : string.Empty) + fields;
        all.Add(new Event(name, time, email, [.. recipients.Select(r => r.ToLowerInvariant())], isTest, isHardBounce, body));
    }

    internal sealed record Event(
        string Name, DateTimeOffset? Time, string EmailId, string[] Recipients, bool IsTest, bool IsHardBounce, string Body)
    {
        public string? Day => Time?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

        public string Id => Body.Split("&id=")[1][..32];
    }
}

/// <summary>One set of them for all its tests.</summary>
[CollectionDefinition(GeneratedEvents.Tests)]
public sealed class GeneratedEventsDefinition : ICollectionFixture<GeneratedEvents>;
