using System.Text;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>What was done to forget an address, so far.</summary>
public sealed record Forgotten
{
    /// <summary>Events about that one recipient, gone from every table.</summary>
    public long Deleted { get; set; }

    /// <summary>Events that named the address among others, rewritten without it.</summary>
    public long Redacted { get; set; }

    /// <summary>Dead letters deleted or rewritten.</summary>
    public long DeadLetters { get; set; }

    /// <summary>Bodies deleted.</summary>
    public long Blobs { get; set; }

    /// <summary>Bodies that hold the address and were left, because a webhook that waits or has just come may need them.</summary>
    public long BlobsLeft { get; set; }
}

/// <summary>
/// Forgets an address, as somebody may ask who has a right to it. It reads everything that is stored, because an address may stand in any
/// text.
/// </summary>
public sealed class Forgetting(
    TableServiceClient service, EventStore events, DeadLetters letters, WebhookBlobs blobs, QueueWatch queues, TimeProvider time)
{
    // More than two clocks may differ by.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient byRecipient = service.GetTableClient(EventIndex.ByRecipientTable);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);
    private readonly TableClient deadLetters = service.GetTableClient(DeadLetters.TableName);

    private enum Change
    {
        None,
        Redacted,
        Deleted,
    }

    /// <summary>Forgets an address. Call it when both queues are empty: a webhook still in one would bring the address back.</summary>
    /// <param name="address">The address, in any case.</param>
    /// <param name="progress">Told the number of rows read so far.</param>
    /// <param name="cancellationToken">Ends the run; call it again to go on.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<Forgotten> ForgetAsync(string address, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var pattern = new AddressPattern(address);
        var before = time.GetUtcNow() - Grace;
        var idle = await queues.CountAsync(cancellationToken) == 0;
        var forgotten = new Forgotten();
        var read = 0L;
        await ForEachAsync(table, async row =>
        {
            var change = await ForgetEventAsync(row, pattern, cancellationToken);
            forgotten.Deleted += change == Change.Deleted ? 1 : 0;
            forgotten.Redacted += change == Change.Redacted ? 1 : 0;
        });

        // What still holds the address there lost its event.
        foreach (var index in new[] { byRecipient, byDay })
        {
            await ForEachAsync(index, async row =>
            {
                if (Redaction.IsIn(pattern, row))
                {
                    await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
                }
            });
        }

        await ForEachAsync(deadLetters, async row =>
            forgotten.DeadLetters += await ForgetDeadLetterAsync(row, pattern, cancellationToken) == Change.None ? 0 : 1);

        // Last, when no row refers to them any more, and none that a message may refer to.
        await foreach (var name in blobs.ListAsync(cancellationToken))
        {
            if (await blobs.ReadAsync(name, cancellationToken) is { } body && Redaction.IsIn(pattern, body))
            {
                var isDeleted = idle && await blobs.DeleteAsync(name, before, cancellationToken);
                forgotten.Blobs += isDeleted ? 1 : 0;
                forgotten.BlobsLeft += isDeleted ? 0 : 1;
            }
        }

        return forgotten;

        async Task ForEachAsync(TableClient from, Func<TableEntity, Task> forget)
        {
            await foreach (var page in from.QueryIfExistsAsync(null, null, cancellationToken))
            {
                foreach (var row in page.Values)
                {
                    await forget(row);
                }

                progress?.Report(read += page.Values.Count);
            }
        }
    }

    private async Task<Change> ForgetEventAsync(TableEntity row, AddressPattern address, CancellationToken cancellationToken)
    {
        var emailEvent = await events.ReadAsync(row, cancellationToken);
        if (emailEvent is null ? !Redaction.IsIn(address, row) : !Redaction.IsIn(address, emailEvent))
        {
            return Change.None;
        }

        var without = emailEvent is null || Redaction.IsAboutOnly(address, emailEvent) ? null : Redaction.Without(address, emailEvent);
        if (without is not null && await RewriteAsync(row, without, cancellationToken) is var rewritten
            && (rewritten.PartitionKey, rewritten.RowKey) == (row.PartitionKey, row.RowKey))
        {
            return Change.Redacted;
        }

        await events.DeleteAsync(emailEvent, row, cancellationToken);
        return without is null ? Change.Deleted : Change.Redacted;
    }

    private async Task<TableEntity> RewriteAsync(TableEntity row, EmailEvent without, CancellationToken cancellationToken)
    {
        var body = await StoredBody.WriteAsync(WebhookBody.ToJson(without.Fields), blobs, cancellationToken);
        var webhook = EventRow.WebhookOf(row) with { ContentType = "application/json", Body = body.Text, Blob = body.Blob };
        var rewritten = EventRow.New(without, webhook);
        rewritten.Row[ColumnNames.Redacted] = true;
        if (await events.RewriteAsync(rewritten, cancellationToken) == StoreOutcome.Conflict)
        {
            const string Error = "Without the forgotten address, this is another event of the same id, name and recipient.";
            await letters.KeepAsync(webhook, DeadLetterReason.Conflict, Error, cancellationToken);
        }

        return rewritten.Row;
    }

    private async Task<Change> ForgetDeadLetterAsync(TableEntity row, AddressPattern address, CancellationToken cancellationToken)
    {
        var body = await letters.ReadBodyAsync(row, cancellationToken);
        if (!Redaction.IsIn(address, row) && (body is null || !Redaction.IsIn(address, body)))
        {
            return Change.None;
        }

        if (row.GetString(ColumnNames.Reason) == DeadLetterReason.Unreadable && body is not null
            && address.TakeFrom(Encoding.UTF8.GetString(body)) is var rest && rest != AddressPattern.Mark)
        {
            // It may hold the webhooks of other people as well.
            await RewriteAsync(row, rest, cancellationToken);
            return Change.Redacted;
        }

        if (body is null || !EmailEvent.TryParse(body, out var emailEvent, out _) || Redaction.IsAboutOnly(address, emailEvent)
            || Redaction.Without(address, emailEvent) is not { } without)
        {
            await letters.DropAsync(row.PartitionKey, row.RowKey, cancellationToken);
            return Change.Deleted;
        }

        row[ColumnNames.ContentType] = "application/json";
        await RewriteAsync(row, WebhookBody.ToJson(without.Fields), cancellationToken);
        return Change.Redacted;
    }

    private async Task RewriteAsync(TableEntity deadLetter, string body, CancellationToken cancellationToken)
    {
        (await StoredBody.WriteAsync(body, blobs, cancellationToken)).SetOn(deadLetter);
        deadLetter[ColumnNames.Redacted] = true;
        await deadLetters.UpdateEntityAsync(deadLetter, deadLetter.ETag, TableUpdateMode.Replace, cancellationToken);
    }
}
