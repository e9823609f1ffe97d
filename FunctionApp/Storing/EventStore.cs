using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>What became of an event that was to be stored.</summary>
public enum StoreOutcome
{
    /// <summary>The row is new.</summary>
    Stored,

    /// <summary>The row was there from an earlier try of this very webhook.</summary>
    StoredBefore,

    /// <summary>Another webhook brought the same event before.</summary>
    Duplicate,

    /// <summary>Another webhook brought an event with the same identity that says something else.</summary>
    Conflict,
}

/// <summary>The table of events.</summary>
/// <param name="service">The storage account.</param>
/// <param name="blobs">Where the bodies are that no row can hold.</param>
public sealed class EventStore(TableServiceClient service, WebhookBlobs blobs)
{
    /// <summary>The table's name.</summary>
    public const string TableName = "Smtp2GoEvents";

    private readonly TableClient table = service.GetTableClient(TableName);

    /// <summary>Writes an event, unless it is there already.</summary>
    /// <param name="emailEvent">The event.</param>
    /// <param name="webhook">The webhook that brought it.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed, or refused the row.</exception>
    public async Task<StoreOutcome> StoreAsync(EmailEvent emailEvent, ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        var row = EventColumns.ToRow(emailEvent, webhook);
        try
        {
            await table.CreatingIfMissing(t => t.AddEntityAsync(row, cancellationToken), cancellationToken);
            return StoreOutcome.Stored;
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.EntityAlreadyExists)
        {
            var stored = await table.GetEntityAsync<TableEntity>(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
            return await CompareAsync(stored.Value, emailEvent, webhook, cancellationToken);
        }
    }

    private async Task<StoreOutcome> CompareAsync(TableEntity stored, EmailEvent emailEvent, ReceivedWebhook webhook, CancellationToken cancellationToken)
    {
        if (stored.GetString(EventColumns.WebhookId) == webhook.Id)
        {
            return StoreOutcome.StoredBefore;
        }

        // The bodies, not the columns: a column may have been cut.
        var body = stored.GetString(EventColumns.Body) is { } text ? BinaryData.FromString(text)
            : stored.GetString(EventColumns.BodyBlob) is { } blob ? await blobs.ReadAsync(blob, cancellationToken)
            : null;
        return body is not null
            && WebhookBody.TryParse(body, out var fields, out _)
            && EmailEvent.TryCreate(fields, out var other)
            && other.SaysTheSameAs(emailEvent)
            ? StoreOutcome.Duplicate
            : StoreOutcome.Conflict;
    }
}
