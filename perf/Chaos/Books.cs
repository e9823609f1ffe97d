using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>One line of the books.</summary>
/// <param name="What">What must be true.</param>
/// <param name="Count">How many were looked at.</param>
/// <param name="Offending">Those for which it is not true.</param>
internal sealed record BookLine(string What, int Count, IReadOnlyList<string> Offending);

/// <summary>
/// Compares what is stored with what was posted. It reads the tables, queues and blobs as they are, and works out the index keys from
/// the posted fields, without the app's own code.
/// </summary>
internal sealed class Books
{
    private readonly Ledger ledger;
    private readonly List<TableEntity> events;
    private readonly List<TableEntity> byRecipient;
    private readonly List<TableEntity> byDay;
    private readonly List<TableEntity> deadLetters;
    private readonly Dictionary<string, string> blobs;
    private readonly int messages;
    private readonly HashSet<string> usedBlobs;

    private Books(Ledger ledger, List<TableEntity>[] tables, Dictionary<string, string> blobs, int messages)
    {
        (this.ledger, this.blobs, this.messages) = (ledger, blobs, messages);
        (events, byRecipient, byDay, deadLetters) = (tables[0], tables[1], tables[2], tables[3]);
        usedBlobs =
        [
            .. events
                .Concat(deadLetters)
                .Where(row => row.GetString("Reason") != DeadLetterReason.BlobMissing)
                .Select(row => row.GetString("BodyBlob"))
                .OfType<string>(),
        ];
    }

    /// <summary>The longest time from receipt to storage.</summary>
    public TimeSpan MaxLag =>
        events.Count == 0 ? TimeSpan.Zero : events.Max(row => row.Timestamp!.Value - row.GetDateTimeOffset("ReceivedAt")!.Value);

    public static async Task<Books> ReadAsync(Ledger ledger, string connectionString, CancellationToken cancellationToken)
    {
        string[] names = [EventStore.TableName, EventIndex.ByRecipientTable, EventIndex.ByDayTable, DeadLetters.TableName];
        string[] columns =
        [
            "PartitionKey", "RowKey", "Timestamp", "ReceivedAt", "X_Chaos", "event", "Body", "BodyBlob", "WebhookId", "Reason",
            ColumnNames.EventPartitionKey, ColumnNames.EventRowKey, ColumnNames.RecipientCount,
        ];
        var tables = new List<TableEntity>[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            tables[i] = await new TableClient(connectionString, names[i])
                .QueryAsync<TableEntity>(select: columns, cancellationToken: cancellationToken)
                .ToListAsync(cancellationToken);
        }

        var container = new BlobContainerClient(connectionString, WebhookBlobs.ContainerName);
        var contents = new Dictionary<string, string>();
        await foreach (var blob in container.GetBlobsAsync(cancellationToken: cancellationToken))
        {
            var content = (await container.GetBlobClient(blob.Name).DownloadContentAsync(cancellationToken)).Value.Content;
            contents[blob.Name] = Convert.ToHexStringLower(SHA256.HashData(content));
        }

        return new Books(ledger, tables, contents, await QueueDrain.CountAsync(QueuesOf(connectionString), cancellationToken));
    }

    /// <summary>What was given up on, before any of it is replayed: only what came from the poison queue.</summary>
    public static async Task<BookLine> ReadPoisonAsync(Ledger ledger, string connectionString, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"Reason eq {DeadLetterReason.Poison}");
        var kept = await new TableClient(connectionString, DeadLetters.TableName)
            .QueryAsync<TableEntity>(filter, cancellationToken: cancellationToken)
            .ToListAsync(cancellationToken);
        var others = kept.Where(row =>
            BodyHashOf(row) is not { } hash || ledger.Find(hash) is not { } webhook || !ledger.Poison.ContainsKey(webhook.Number));
        return new BookLine(
            "dead letters with reason poison: only what was put into the poison queue", kept.Count, [.. others.Select(row => Keys([row]))]);
    }

    public static QueueClient[] QueuesOf(string connectionString) =>
        [new(connectionString, WebhookQueue.Name), new(connectionString, WebhookQueue.PoisonName)];

    public IReadOnlyList<BookLine> Balance()
    {
        var rowsOf = events.ToLookup(NumberOf);
        var deadOf = deadLetters
            .Where(row => row.GetString("Reason") != DeadLetterReason.Unreadable)
            .ToLookup(row => BodyHashOf(row) is { } hash ? ledger.Find(hash) : null);
        var ofEvents = ledger.Webhooks.Values.Where(webhook => webhook.Destination == Destination.Event).ToList();
        var ofDeadLetters = ledger.Webhooks.Values.Where(webhook => webhook.Destination != Destination.Event).ToList();
        var acknowledged = ofEvents.Where(webhook => webhook.WasAcknowledged).ToList();
        var posted = ledger.Webhooks.Values.Where(webhook => !webhook.Posts.IsEmpty).ToList();
        return
        [
            new(
                "webhooks posted: acknowledged in the end",
                posted.Count,
                [.. posted.Where(webhook => !webhook.WasAcknowledged).Select(webhook => $"never acknowledged: {webhook}")]),
            new(
                "acknowledged events: stored",
                acknowledged.Count,
                [.. acknowledged.Where(webhook => !rowsOf[webhook.Number].Any()).Select(webhook => $"lost: {webhook}")]),
            new(
                "events: stored once",
                events.Count,
                [
                    .. ofEvents
                        .Where(webhook => rowsOf[webhook.Number].Skip(1).Any())
                        .Select(webhook => $"twice: {webhook}; {Keys(rowsOf[webhook.Number])}"),
                ]),
            new(
                "events: what was posted",
                events.Count,
                [.. events.Where(row => !IsPosted(row)).Select(row => $"not as posted: {Keys([row])}")]),
            new("rows by day: one for each event", byDay.Count, [.. Compare(byDay, row => [$"{Webhook(row)!.Day}_{Webhook(row)!.Event}"])]),
            new(
                "rows by recipient: one for each recipient of each event",
                byRecipient.Count,
                [.. Compare(byRecipient, row => Webhook(row)!.Recipients)]),
            new(
                "acknowledged without an event: one dead letter each",
                ofDeadLetters.Count,
                [
                    .. ofDeadLetters
                        .Where(webhook => !IsKept(webhook, [.. deadOf[webhook]]))
                        .Select(webhook => $"{deadOf[webhook].Count()} dead letters: {webhook}"),
                ]),
            new("broken messages and entries: one dead letter each", ledger.Unreadable.Count, [.. CompareUnreadable()]),
            new("webhooks whose blob never existed: one dead letter each", ledger.WithoutBlob.Count, [.. CompareWithoutBlob()]),
            new(
                "dead letters: no others",
                deadLetters.Count,
                [
                    .. deadLetters
                        .Where(row => !IsExpected(row))
                        .Select(row => $"{row.GetString("Reason")}: {Keys([row])}, {Posted(BodyHashOf(row))}"),
                ]),
            new("messages left in the queues: none", messages, [.. Enumerable.Repeat("a message", Math.Min(messages, 1))]),
            new(
                "bodies in blobs: there, and matching their names",
                usedBlobs.Count,
                [.. usedBlobs.Where(name => blobs.GetValueOrDefault(name) != name).Select(name => $"gone or different: {name}")]),
            new(
                "blobs: used, or from a POST that was not answered 200, or from a duplicate",
                blobs.Count,
                [
                    .. blobs
                        .Keys.Where(name => !usedBlobs.Contains(name) && !IsLeftOver(name))
                        .Select(name => $"orphan: {name}, {Posted(name)}"),
                ]),
        ];
    }

    private string Posted(string? bodyHash) =>
        (bodyHash is null ? null : ledger.Find(bodyHash))?.ToString() ?? "not posted";

    private PostedWebhook? Webhook(TableEntity row) => ledger.Webhooks.GetValueOrDefault(NumberOf(row));

    private static int NumberOf(TableEntity row) =>
        int.TryParse(row.GetString("X_Chaos"), CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static string? BodyHashOf(TableEntity row) =>
        row.GetString("BodyBlob")
        ?? (row.GetString("Body") is { } text ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))) : null);

    private bool IsPosted(TableEntity row) =>
        Webhook(row) is { Destination: Destination.Event } webhook
        && row.GetString("event") == webhook.Event
        && BodyHashOf(row) is { } hash
        && ledger.Find(hash) == webhook;

    private IEnumerable<string> Compare(List<TableEntity> index, Func<TableEntity, IReadOnlyList<string>> partitionsOf)
    {
        var left = index.ToLookup(row => (row.GetString(ColumnNames.EventPartitionKey), row.GetString(ColumnNames.EventRowKey)));
        foreach (var row in events.Where(row => Webhook(row) is not null))
        {
            var partitions = partitionsOf(row);
            var rows = left[(row.PartitionKey, row.RowKey)].ToList();
            if (!rows.Select(r => r.PartitionKey).Order(StringComparer.Ordinal).SequenceEqual(partitions.Order(StringComparer.Ordinal))
                || rows.Exists(r =>
                    NumberOf(r) != NumberOf(row) || (r.GetInt32(ColumnNames.RecipientCount) ?? partitions.Count) != partitions.Count))
            {
                yield return $"{rows.Count} rows instead of {partitions.Count}: {Keys([row])}, {Webhook(row)}";
            }
        }

        var keys = events.Select(row => (row.PartitionKey, row.RowKey)).ToHashSet();
        foreach (var orphan in left.Where(rows => !keys.Contains(rows.Key!)))
        {
            yield return $"no event: {Keys(orphan)}";
        }
    }

    // Each POST of it is a separate webhook, and one that was not answered 200 may be in the queue anyway.
    private static bool IsKept(PostedWebhook webhook, List<TableEntity> rows) =>
        rows.Count >= webhook.Posts.Count(post => post.Answer == Post.Acknowledged)
        && rows.Count <= webhook.Posts.Count
        && rows.DistinctBy(row => row.GetString("WebhookId")).Count() == rows.Count
        && rows.TrueForAll(row => row.GetString("Reason") == DeadLetterReason.NoEvent);

    private IEnumerable<string> CompareUnreadable()
    {
        var kept = deadLetters.Where(row => row.GetString("Reason") == DeadLetterReason.Unreadable).ToLookup(row => row.GetString("Body"));
        return ledger.Unreadable.Keys.Where(text => kept[text].Count() != 1).Select(text => $"{kept[text].Count()} dead letters: {text}");
    }

    private IEnumerable<string> CompareWithoutBlob()
    {
        var kept = deadLetters
            .Where(row => row.GetString("Reason") == DeadLetterReason.BlobMissing)
            .ToLookup(row => row.GetString("WebhookId"));
        return ledger.WithoutBlob.Keys.Where(id => kept[id].Count() != 1).Select(id => $"{kept[id].Count()} dead letters: {id}");
    }

    private bool IsExpected(TableEntity row) => row.GetString("Reason") switch
    {
        DeadLetterReason.Unreadable => ledger.Unreadable.ContainsKey(row.GetString("Body") ?? string.Empty),
        DeadLetterReason.BlobMissing => ledger.WithoutBlob.ContainsKey(row.GetString("WebhookId")),
        DeadLetterReason.NoEvent => BodyHashOf(row) is { } hash && ledger.Find(hash)?.Destination == Destination.NoEvent,
        _ => false,
    };

    /// <summary>
    /// Nothing refers to such a blob, and the sweep deletes it after a week: its POST failed after the blob was written, or the event
    /// was stored from another POST with another <c>sendtime</c>.
    /// </summary>
    private bool IsLeftOver(string name) =>
        ledger.Find(name) is { } webhook
        && (
            webhook.Posts.Any(post => post.BodyHash == name && post.Answer != Post.Acknowledged)
            || webhook is { Destination: Destination.Event, SendTimeMayDiffer: true });

    private static string Keys(IEnumerable<TableEntity> rows) =>
        string.Join(" and ", rows.Select(row => $"[{row.PartitionKey} | {row.RowKey}]"));
}
