using System.Text;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>What the app receives, and what must be stored in the end, whatever happens on the way.</summary>
/// <param name="Posts">Bodies that a client posts, each until it is acknowledged, as SMTP2GO does.</param>
/// <param name="Acknowledged">Bodies that a client has posted already.</param>
/// <param name="Messages">Messages that are in the queue already.</param>
/// <param name="Events">The <c>id</c> of each event that must be stored.</param>
/// <param name="DeadLetters">The reason of each dead letter that must be kept.</param>
/// <param name="IsFirst">True if nothing exists yet, not even a table.</param>
internal sealed record Scenario(
    string[] Posts, string[] Acknowledged, string[] Messages, string[] Events, string[] DeadLetters, bool IsFirst = false)
{
    public const string Single = "one webhook";
    public const string First = "the first webhook, with several recipients";
    public const string Spilled = "a spilled body";
    public const string Batch = "a batch in one partition";
    public const string States = "events that change whom must not be mailed";
    public const string Mixed = "a batch with every kind of dead letter";
    public const string Unreadable = "a message that is not ours";
    public const string LargeDeadLetter = "a dead letter with a spilled body";

    /// <summary>By name.</summary>
    public static IReadOnlyDictionary<string, Scenario> All { get; } = new Dictionary<string, Scenario>
    {
        [Single] = new(["event=open&id=1&email_id=e1&rcpt=a@x.example&time=2026-05-02T11:20:31Z"], [], [], ["1"], []),
        [First] = new(
            ["event=processed&id=1&email_id=e1&recipients=a@x.example,b@x.example,c@x.example&time=2026-05-02T11:20:31Z"],
            [],
            [],
            ["1"],
            [],
            IsFirst: true),
        [Spilled] = new([$"event=open&id=1&email_id=e1&rcpt=a@x.example&message={new string('m', 50_000)}"], [], [], ["1"], []),
        [Batch] = new(
            [], [], [MessageOf([.. Enumerable.Range(1, 4).Select(i => Entry($"w{i}", EventOf($"{i}")))])], ["1", "2", "3", "4"], []),
        [States] = new(
            [],
            [],
            [
                MessageOf(
                    Entry("w1", "event=bounce&bounce=hard&id=1&email_id=e1&rcpt=a@x.example&time=2026-05-02T11:20:31Z"),
                    Entry("w2", "event=spam&id=2&email_id=e2&rcpt=b@x.example&time=2026-05-02T11:20:31Z"),
                    Entry("w3", "event=resubscribe&id=3&email_id=e3&rcpt=a@x.example&time=2026-05-02T11:20:32Z"),
                    Entry("w4", "event=unsubscribe&id=4&email_id=e4&rcpt=a@x.example&time=2026-05-02T11:20:30Z")),
            ],
            ["1", "2", "3", "4"],
            []),
        [Mixed] = new(
            [],
            [],
            [
                MessageOf(
                    Entry("w1", EventOf("1")),
                    Entry("w2", EventOf("2")),
                    Entry("duplicate", EventOf("1") + "&sendtime=2026-05-02T11:59:59.9Z"),
                    Entry("conflict", EventOf("2") + "&message=other"),
                    Entry("unparsable", "not a body"),
                    Entry("no event", "other=thing"),
                    """{"id":7}""",
                    EntryOfBlob("blob missing")),
            ],
            ["1", "2"],
            ["blob-missing", "conflict", "no-event", "unparsable", "unreadable"]),
        [Unreadable] = new([], [], [new string('x', 40_000)], [], ["unreadable"], IsFirst: true),
        [LargeDeadLetter] = new([], [string.Join('&', Enumerable.Range(0, 10_001).Select(i => $"f{i}=x"))], [], [], ["unparsable"]),
    };

    public static string EventOf(string id) => $"event=open&id={id}&email_id=e1&rcpt=a@x.example&time=2026-05-02T11:20:31Z";

    public static string MessageOf(params string[] entries) => $$"""{"v":1,"webhooks":[{{string.Join(',', entries)}}]}""";

    public static string Entry(string id, string body) => Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", body, null));

    public static string EntryOfBlob(string id) =>
        Encode(new ReceivedWebhook(id, DateTimeOffset.UtcNow, "text/plain", null, new string('0', 64)));

    /// <summary>Fills the queue.</summary>
    public async Task EnqueueAsync(string account)
    {
        foreach (var table in IsFirst
                ? []
                : (string[])
                    [
                        EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable, Recipients.TableName,
                        Smtp2GoIngest.Storing.DeadLetters.TableName,
                    ])
        {
            await new TableClient(account, table).CreateAsync(Test.Token);
        }

        if (Acknowledged.Length > 0)
        {
            await using var app = await IngestApp.StartAsync(account, pump: false);
            await Task.WhenAll(Acknowledged.Select(body => app.AcknowledgedAsync(body)));
        }

        if (Messages.Length > 0)
        {
            var queue = new QueueClient(account, WebhookQueue.Name);
            await queue.CreateAsync(cancellationToken: Test.Token);
            foreach (var message in Messages)
            {
                await queue.SendMessageAsync(message, Test.Token);
            }
        }
    }

    /// <summary>Posts each body until it is acknowledged.</summary>
    public async Task PostAsync(IngestApp app)
    {
        foreach (var body in Posts)
        {
            await Eventually.Get(() => IsAcknowledgedAsync(app, body), acknowledged => acknowledged);
        }
    }

    public static async Task<bool> IsAcknowledgedAsync(IngestApp app, string body)
    {
        using var answer = await app.PostAsync(body);
        Assert.Contains((int)answer.StatusCode, (int[])[200, 503]);
        return (int)answer.StatusCode == 200;
    }

    private static string Encode(ReceivedWebhook webhook) => Encoding.UTF8.GetString(Envelope.Encode(webhook)!);
}
