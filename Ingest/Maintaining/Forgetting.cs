using System.Text;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>What was done to forget an address.</summary>
/// <param name="Deleted">Events about that one recipient, gone from every table.</param>
/// <param name="Redacted">Events that named the address among others, rewritten without it.</param>
/// <param name="DeadLetters">Dead letters deleted or rewritten.</param>
/// <param name="Blobs">Bodies deleted.</param>
/// <param name="BlobsLeft">Bodies that hold the address and were left alone, because a webhook that waits or has just come may need them.</param>
public sealed record Forgotten(long Deleted, long Redacted, long DeadLetters, long Blobs, long BlobsLeft);

/// <summary>Forgets an address, as somebody may ask who has a right to it. It reads everything that is stored, because an address may stand in any text.</summary>
/// <param name="service">The storage account's tables.</param>
/// <param name="events">The events.</param>
/// <param name="letters">The dead letters.</param>
/// <param name="blobs">The bodies that no row can hold.</param>
/// <param name="queues">Knows how many messages wait.</param>
/// <param name="time">The clock.</param>
public sealed class Forgetting(
    TableServiceClient service, EventStore events, DeadLetters letters, WebhookBlobs blobs, QueueWatch queues, TimeProvider time)
{
    // More than two clocks are apart.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);
    private readonly TableClient byRecipient = service.GetTableClient(EventIndex.ByRecipientTable);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);
    private readonly TableClient deadLetters = service.GetTableClient(DeadLetters.TableName);

    /// <summary>Forgets an address. Call it when both queues are empty: a webhook that is still in one would bring the address back.</summary>
    /// <param name="address">The address, in any case.</param>
    /// <param name="progress">Told of the number of rows read so far.</param>
    /// <param name="cancellationToken">Ends the run; call it again to go on.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<Forgotten> ForgetAsync(string address, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var pattern = new AddressPattern(address);
        var before = time.GetUtcNow() - Grace;
        var idle = await queues.CountAsync(cancellationToken) == 0;
        var (read, deleted, redacted, kept, bodies, left) = (0L, 0L, 0L, 0L, 0L, 0L);
        await foreach (var page in table.QueryIfExistsAsync(null, null, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                switch (await ForgetEventAsync(row, pattern, cancellationToken))
                {
                    case true:
                        deleted++;
                        break;
                    case false:
                        redacted++;
                        break;
                }
            }

            progress?.Report(read += page.Values.Count);
        }

        // What still holds the address there lost its event.
        foreach (var index in new[] { byRecipient, byDay })
        {
            await foreach (var page in index.QueryIfExistsAsync(null, null, cancellationToken))
            {
                foreach (var row in page.Values.Where(row => IsIn(pattern, row)))
                {
                    await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
                }

                progress?.Report(read += page.Values.Count);
            }
        }

        await foreach (var page in deadLetters.QueryIfExistsAsync(null, null, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                kept += await ForgetDeadLetterAsync(row, pattern, cancellationToken) ? 1 : 0;
            }

            progress?.Report(read += page.Values.Count);
        }

        // Last, when no row refers to them any more, and none that a message may refer to.
        await foreach (var name in blobs.ListAsync(DateTimeOffset.MaxValue, cancellationToken))
        {
            if (await blobs.ReadAsync(name, cancellationToken) is { } body && IsIn(pattern, body))
            {
                var isDeleted = idle && await blobs.DeleteAsync(name, before, cancellationToken);
                bodies += isDeleted ? 1 : 0;
                left += isDeleted ? 0 : 1;
            }
        }

        return new Forgotten(deleted, redacted, kept, bodies, left);
    }

    private static bool IsIn(AddressPattern address, BinaryData body) =>
        address.IsIn(Encoding.UTF8.GetString(body))
        || (WebhookBody.TryParse(body, out var fields, out _) && fields.Any(field => IsIn(address, field)));

    private static bool IsIn(AddressPattern address, TableEntity row) =>
        row.Any(property => property.Value is string text && address.IsIn(text));

    private static bool IsIn(AddressPattern address, WebhookField field) =>
        address.IsIn(field.Name) || field.Values.Any(value => address.IsIn(value.Text));

    /// <returns>True where the event is gone, false where it is rewritten, null where it did not hold the address.</returns>
    private async Task<bool?> ForgetEventAsync(TableEntity row, AddressPattern address, CancellationToken cancellationToken)
    {
        var emailEvent = await events.ReadAsync(row, cancellationToken);
        if (emailEvent is null ? !IsIn(address, row) : !emailEvent.Fields.Any(field => IsIn(address, field)))
        {
            return null;
        }

        var rewritten = emailEvent is null || IsAboutAlone(emailEvent, address) ? null : Redact(emailEvent, address);
        if (rewritten is { } without)
        {
            var body = WebhookBody.ToJson(without.Fields);
            var inline = body.Length <= EventColumns.MaxTextLength;
            var webhook = new ReceivedWebhook(
                row.GetString(EventColumns.WebhookId),
                row.GetDateTimeOffset(EventColumns.ReceivedAt) ?? default,
                "application/json",
                inline ? body : null,
                inline ? null : await blobs.WriteAsync(Encoding.UTF8.GetBytes(body), cancellationToken));
            var again = EventColumns.ToRow(without, webhook);
            again[EventColumns.Redacted] = true;
            if (await events.RewriteAsync(without, again, cancellationToken) == StoreOutcome.Conflict)
            {
                await letters.KeepAsync(
                    webhook,
                    DeadLetterReason.Conflict,
                    "Without the forgotten address, this is another event of the same id, name and recipient.",
                    cancellationToken);
            }

            if ((again.PartitionKey, again.RowKey) == (row.PartitionKey, row.RowKey))
            {
                return false;
            }
        }

        await events.DeleteAsync(emailEvent, row, cancellationToken);
        return rewritten is null;
    }

    private async Task<bool> ForgetDeadLetterAsync(TableEntity row, AddressPattern address, CancellationToken cancellationToken)
    {
        var body = await letters.ReadBodyAsync(row, cancellationToken);
        if (!IsIn(address, row) && (body is null || !IsIn(address, body)))
        {
            return false;
        }

        if (row.GetString("Reason") == DeadLetterReason.Unreadable && body is not null
            && address.TakeFrom(Encoding.UTF8.GetString(body)) is var rest && rest != AddressPattern.Mark)
        {
            // It may hold the webhooks of other people as well.
            await RewriteAsync(row, rest, cancellationToken);
            return true;
        }

        if (body is null
            || !WebhookBody.TryParse(body, out var fields, out _)
            || !EmailEvent.TryCreate(fields, out var emailEvent)
            || IsAboutAlone(emailEvent, address)
            || Redact(emailEvent, address) is not { } without)
        {
            await letters.DropAsync(row.PartitionKey, row.RowKey, cancellationToken);
            return true;
        }

        row["ContentType"] = "application/json";
        await RewriteAsync(row, WebhookBody.ToJson(without.Fields), cancellationToken);
        return true;
    }

    private async Task RewriteAsync(TableEntity deadLetter, string body, CancellationToken cancellationToken)
    {
        deadLetter.Remove("Body");
        deadLetter.Remove("BodyBlob");
        deadLetter[EventColumns.Redacted] = true;
        if (body.Length <= EventColumns.MaxTextLength)
        {
            deadLetter["Body"] = body;
        }
        else
        {
            deadLetter["BodyBlob"] = await blobs.WriteAsync(Encoding.UTF8.GetBytes(body), cancellationToken);
        }

        await deadLetters.UpdateEntityAsync(deadLetter, deadLetter.ETag, TableUpdateMode.Replace, cancellationToken);
    }

    private static bool IsAboutAlone(EmailEvent e, AddressPattern address) =>
        EventIndex.RecipientsOf(e) is [var one] && address.Is(one);

    /// <summary>The event without the address; null where nothing of it is left that says what happened.</summary>
    private static EmailEvent? Redact(EmailEvent e, AddressPattern address)
    {
        var recipients = e.Recipients.Where(recipient => !address.IsIn(recipient)).Select(recipient => new FieldValue(recipient)).ToList();
        var isRecipient = e.Fields.Any(field => IsRecipients(field) && IsIn(address, field));
        var fields = new List<WebhookField>();
        foreach (var field in e.Fields)
        {
            fields.Add(isRecipient && IsRecipients(field)
                ? field with { Values = fields.Exists(IsRecipients) ? [] : recipients }
                : new WebhookField(address.TakeFrom(field.Name), [.. field.Values.Select(value => Redact(value, address))]));
        }

        return EmailEvent.TryCreate([.. fields.DistinctBy(field => field.Name)], out var without) ? without : null;
    }

    private static bool IsRecipients(WebhookField field) => field.Name is "recipients" or "recipients[]";

    private static FieldValue Redact(FieldValue value, AddressPattern address)
    {
        var text = address.TakeFrom(value.Text);
        return new FieldValue(text, value.IsScalar || text == AddressPattern.Mark);
    }
}
