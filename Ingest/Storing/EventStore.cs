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

    /// <summary>Storage failed, or refused a row; <see cref="StoreResult.Failure"/> says how.</summary>
    Failed,
}

/// <summary>An event and the webhook that brought it.</summary>
/// <param name="Event">The event.</param>
/// <param name="Webhook">The webhook.</param>
public sealed record ReceivedEvent(EmailEvent Event, ReceivedWebhook Webhook);

/// <summary>What became of one event.</summary>
/// <param name="Outcome">In a word.</param>
/// <param name="Failure">Why it failed; null otherwise.</param>
public readonly record struct StoreResult(StoreOutcome Outcome, Exception? Failure = null);

/// <summary>The table of events and its two indexes.</summary>
/// <param name="service">The storage account.</param>
/// <param name="blobs">Where the bodies are that no row can hold.</param>
public sealed class EventStore(TableServiceClient service, WebhookBlobs blobs)
{
    /// <summary>The table's name.</summary>
    public const string TableName = "Smtp2GoEvents";

    private readonly TableClient table = service.GetTableClient(TableName);
    private readonly TableClient byRecipient = service.GetTableClient(EventIndex.ByRecipientTable);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <summary>Writes events, those that are not there already, and then their index rows, which a retry heals.</summary>
    /// <param name="batch">The events of one message.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>What became of each; one that failed never holds up the others.</returns>
    public async Task<StoreResult[]> StoreAsync(IReadOnlyList<ReceivedEvent> batch, CancellationToken cancellationToken)
    {
        var rows = batch.Select(received => EventColumns.ToRow(received.Event, received.Webhook)).ToList();
        var results = new StoreResult[batch.Count];

        // Where one message brings an event twice, the second has to meet the row of the first.
        var rounds = Enumerable.Range(0, batch.Count).GroupBy(i => (rows[i].PartitionKey, rows[i].RowKey))
            .SelectMany(same => same.Select((i, round) => (Index: i, Round: round)))
            .GroupBy(row => row.Round, row => row.Index)
            .OrderBy(round => round.Key);
        foreach (var round in rounds.Select(round => round.ToList()))
        {
            var failures = await table.WriteAsync(TableTransactionActionType.Add, [.. round.Select(i => rows[i])], cancellationToken);
            for (var n = 0; n < round.Count; n++)
            {
                var i = round[n];
                (results[i], rows[i]) = await JudgeAsync(failures[n], rows[i], batch[i], cancellationToken);
            }
        }

        var stored = Enumerable.Range(0, batch.Count)
            .Where(i => results[i].Outcome is StoreOutcome.Stored or StoreOutcome.StoredBefore or StoreOutcome.Duplicate).ToList();
        await IndexAsync([.. stored.Select(i => (batch[i].Event, rows[i]))], stored, results, cancellationToken);
        return results;
    }

    private async Task<(StoreResult Result, TableEntity Stored)> JudgeAsync(
        Exception? failure, TableEntity row, ReceivedEvent received, CancellationToken cancellationToken)
    {
        if (failure is null)
        {
            return (new StoreResult(StoreOutcome.Stored), row);
        }

        if (failure is not RequestFailedException { ErrorCode: { } code } || code != TableErrorCode.EntityAlreadyExists)
        {
            return (new StoreResult(StoreOutcome.Failed, failure), row);
        }

        try
        {
            var stored = (
                await table.GetEntityAsync<TableEntity>(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken)).Value;
            return (new StoreResult(await CompareAsync(stored, received, cancellationToken)), stored);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return (new StoreResult(StoreOutcome.Failed, e), row);
        }
    }

    private async Task<StoreOutcome> CompareAsync(TableEntity stored, ReceivedEvent received, CancellationToken cancellationToken)
    {
        if (stored.GetString(EventColumns.WebhookId) == received.Webhook.Id)
        {
            return StoreOutcome.StoredBefore;
        }

        // The bodies, not the columns: a column may have been cut.
        return await ReadAsync(stored, cancellationToken) is { } other && other.SaysTheSameAs(received.Event)
            ? StoreOutcome.Duplicate
            : StoreOutcome.Conflict;
    }

    /// <summary>Reads the event of a stored row from its body; null where the body is gone or is none.</summary>
    /// <param name="stored">A row of <see cref="TableName"/>.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<EmailEvent?> ReadAsync(TableEntity stored, CancellationToken cancellationToken)
    {
        var body = stored.GetString(EventColumns.Body) is { } text ? BinaryData.FromString(text)
            : stored.GetString(EventColumns.BodyBlob) is { } blob ? await blobs.ReadAsync(blob, cancellationToken)
            : null;
        return body is not null && WebhookBody.TryParse(body, out var fields, out _) && EmailEvent.TryCreate(fields, out var emailEvent)
            ? emailEvent
            : null;
    }

    /// <summary>Deletes an event from all three tables, its own row last but one, so that a run that was cut short finds it again.</summary>
    /// <param name="emailEvent">The event; null where its body is gone, and then its index rows are searched for, which reads the index tables.</param>
    /// <param name="stored">Its row.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task DeleteAsync(EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken)
    {
        if (emailEvent is null)
        {
            await DeleteIndexRowsAsync(stored, cancellationToken);
            await table.DeleteEntityAsync(stored.PartitionKey, stored.RowKey, cancellationToken: cancellationToken);
            return;
        }

        var rows = EventIndex.ByRecipient(emailEvent, stored).ToList();
        await Parallel.ForEachAsync(
            rows,
            cancellationToken,
            async (row, token) => await byRecipient.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: token));
        await table.DeleteEntityAsync(stored.PartitionKey, stored.RowKey, cancellationToken: cancellationToken);
        var day = EventIndex.ByDay(emailEvent, stored);
        await byDay.DeleteEntityAsync(day.PartitionKey, day.RowKey, cancellationToken: cancellationToken);
    }

    private async Task DeleteIndexRowsAsync(TableEntity stored, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"EventPartitionKey eq {stored.PartitionKey} and EventRowKey eq {stored.RowKey}");
        foreach (var index in new[] { byRecipient, byDay })
        {
            await foreach (var page in index.QueryIfExistsAsync(filter, ["PartitionKey", "RowKey"], cancellationToken))
            {
                foreach (var row in page.Values)
                {
                    await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
                }
            }
        }
    }

    /// <summary>Writes the rows of an event that is stored already under its row as it should be. The old row is left where its keys were others.</summary>
    /// <param name="emailEvent">The event.</param>
    /// <param name="row">Its row as it should be.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns><see cref="StoreOutcome.Stored"/>; or <see cref="StoreOutcome.Duplicate"/> or <see cref="StoreOutcome.Conflict"/>, and nothing
    /// written, where another webhook's event has that row.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task<StoreOutcome> RewriteAsync(EmailEvent emailEvent, TableEntity row, CancellationToken cancellationToken)
    {
        var there = await table.GetEntityIfExistsAsync<TableEntity>(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
        if (there.HasValue && there.Value!.GetString(EventColumns.WebhookId) != row.GetString(EventColumns.WebhookId))
        {
            return await ReadAsync(there.Value, cancellationToken) is { } other && other.SaysTheSameAs(emailEvent)
                ? StoreOutcome.Duplicate
                : StoreOutcome.Conflict;
        }

        await table.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellationToken);
        await ReindexAsync([(emailEvent, row)], cancellationToken);
        return StoreOutcome.Stored;
    }

    /// <summary>Writes the index rows of events.</summary>
    /// <param name="events">The events, each with its row.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task ReindexAsync(IReadOnlyList<(EmailEvent Event, TableEntity Row)> events, CancellationToken cancellationToken)
    {
        var results = new StoreResult[events.Count];
        await IndexAsync(events, [.. Enumerable.Range(0, events.Count)], results, cancellationToken);
        if (Array.Find(results, result => result.Failure is not null).Failure is { } failure)
        {
            throw failure;
        }
    }

    private async Task IndexAsync(
        IReadOnlyList<(EmailEvent Event, TableEntity Row)> stored, List<int> of, StoreResult[] results, CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            UpsertAsync(byDay, [.. stored.Select((s, n) => (of[n], EventIndex.ByDay(s.Event, s.Row)))]),
            UpsertAsync(byRecipient, [.. stored.SelectMany((s, n) => EventIndex.ByRecipient(s.Event, s.Row).Select(row => (of[n], row)))]));

        async Task UpsertAsync(TableClient index, IReadOnlyList<(int Of, TableEntity Row)> all)
        {
            var distinct = all.DistinctBy(entry => (entry.Row.PartitionKey, entry.Row.RowKey)).ToList();
            var failures = await index.WriteAsync(
                TableTransactionActionType.UpsertReplace, [.. distinct.Select(entry => entry.Row)], cancellationToken);
            for (var n = 0; n < distinct.Count; n++)
            {
                if (failures[n] is { } failure)
                {
                    results[distinct[n].Of] = new StoreResult(StoreOutcome.Failed, failure);
                }
            }
        }
    }
}
