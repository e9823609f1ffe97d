using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>The table of events, its two indexes, and what they say about recipients.</summary>
public sealed class EventStore(TableServiceClient service, WebhookBlobs blobs, TouchedDays touched)
{
    public const string TableName = "Smtp2GoEvents";

    private readonly TableClient table = service.GetTableClient(TableName);
    private readonly EventIndexTables index = new(service);
    private readonly Recipients recipients = new(service);

    /// <summary>
    /// Writes the events of one message that are not there yet, then their index rows, then their recipients. A retry repairs the rest.
    /// </summary>
    /// <remarks><see cref="EventRow.Outcome"/> says what happened to each; one that failed never holds up the others.</remarks>
    public async Task StoreAsync(IReadOnlyList<EventRow> batch, CancellationToken cancellationToken)
    {
        // If one message brings an event twice, the second must find the row of the first.
        var rounds = batch.GroupBy(e => (e.Row.PartitionKey, e.Row.RowKey))
            .SelectMany(same => same.Select((e, round) => (Event: e, Round: round)))
            .GroupBy(e => e.Round, e => e.Event)
            .OrderBy(round => round.Key);
        foreach (var round in rounds.Select(round => round.ToList()))
        {
            var failures = await table.WriteAsync(TableTransactionActionType.Add, [.. round.Select(e => e.Row)], cancellationToken);
            foreach (var (e, failure) in round.Zip(failures))
            {
                await JudgeAsync(e, failure, cancellationToken);
            }
        }

        await index.WriteAsync([.. batch.Where(e => e.IsThere)], cancellationToken);
        await DeriveAsync([.. batch.Where(e => e.IsThere)], cancellationToken);
    }

    /// <summary>Finds out whether an event is stored and, if so, writes the rest as well. Never stores the event itself.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task CompleteAsync(EventRow e, CancellationToken cancellationToken)
    {
        var stored = await table.GetEntityIfExistsAsync<TableEntity>(
            e.Row.PartitionKey, e.Row.RowKey, cancellationToken: cancellationToken);
        if (stored.HasValue)
        {
            e.Outcome = await CompareAsync(stored.Value!, e, cancellationToken);
            e.Row = stored.Value!;
        }

        if (e.IsThere)
        {
            await ReindexAsync([e], cancellationToken);
        }
    }

    /// <summary>Reads the event of a stored row from its body; null if the body is gone or has no event.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<EmailEvent?> ReadAsync(TableEntity stored, CancellationToken cancellationToken) =>
        await StoredBody.Of(stored).ReadAsync(blobs, cancellationToken) is { } body && EmailEvent.TryParse(body, out var e, out _)
            ? e
            : null;

    /// <summary>
    /// Rewrites a stored event and its index rows, if the row it was built from has not changed since it was read. If its keys have
    /// changed, the old row stays.
    /// </summary>
    /// <returns>
    /// <see cref="StoreOutcome.Stored"/>, and <see cref="EventRow.Row"/> has an ETag only if that row is new; or
    /// <see cref="StoreOutcome.Duplicate"/> or <see cref="StoreOutcome.Conflict"/> if another webhook's event has that row. Then nothing
    /// is written.
    /// </returns>
    /// <exception cref="RequestFailedException">Storage failed; 404, 409 or 412 if somebody else was faster.</exception>
    internal async Task<StoreOutcome> RewriteAsync(EventRow rewritten, TableEntity read, CancellationToken cancellationToken)
    {
        var (partitionKey, rowKey) = (rewritten.Row.PartitionKey, rewritten.Row.RowKey);
        await touched.MarkAsync([read.RowKey, rowKey], cancellationToken);
        var there = await table.GetEntityIfExistsAsync<TableEntity>(partitionKey, rowKey, cancellationToken: cancellationToken);
        if (there.HasValue
            && await CompareAsync(there.Value!, rewritten, cancellationToken) is var outcome and not StoreOutcome.StoredBefore)
        {
            return outcome;
        }

        if ((read.PartitionKey, read.RowKey) == (partitionKey, rowKey) || there.HasValue)
        {
            var unchanged = (read.PartitionKey, read.RowKey) == (partitionKey, rowKey) ? read.ETag : there.Value!.ETag;
            await table.UpdateEntityAsync(rewritten.Row, unchanged, TableUpdateMode.Replace, cancellationToken);
        }
        else
        {
            rewritten.Row.ETag = (await table.AddEntityAsync(rewritten.Row, cancellationToken)).Headers.ETag ?? default;
        }

        await index.WriteAsync([rewritten], cancellationToken);
        if (rewritten.Failure is { } failure)
        {
            throw failure;
        }

        // It may have counted for a state before, and not any more.
        await recipients.FoldAsync(
            rewritten.Event, RecipientFold.IsStateEvent(read) ? read : rewritten.Row, cancellationToken);
        return StoreOutcome.Stored;
    }

    /// <summary>Writes the index rows of events, and then their recipients.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task ReindexAsync(IReadOnlyList<EventRow> events, CancellationToken cancellationToken)
    {
        await touched.MarkAsync(events.Select(e => e.Row.RowKey), cancellationToken);
        await index.WriteAsync(events, cancellationToken);
        await recipients.FoldAsync([.. events.Where(e => e.Failure is null)], cancellationToken);
        if (events.FirstOrDefault(e => e.Failure is not null)?.Failure is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>
    /// Deletes an event from all three tables, its row by day last: if a run is cut short, the next one finds it again. The caller
    /// refreshes the recipients when the run ends.
    /// </summary>
    /// <param name="emailEvent">Null if its body is gone. Then its index rows are searched for, which reads both index tables.</param>
    /// <param name="stored">Its row.</param>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal Task DeleteAsync(EmailEvent? emailEvent, TableEntity stored, CancellationToken cancellationToken) =>
        DeleteAsync(emailEvent, stored, ETag.All, cancellationToken);

    /// <summary>The same, if the row has this ETag.</summary>
    /// <returns>Whether the row was there.</returns>
    /// <exception cref="RequestFailedException">Storage failed; 412 if the row has changed.</exception>
    internal async Task<bool> DeleteAsync(
        EmailEvent? emailEvent, TableEntity stored, ETag unchanged, CancellationToken cancellationToken)
    {
        await touched.MarkAsync([stored.RowKey], cancellationToken);

        // Read before the event goes: if it comes again from then on, its row by day changes and stays.
        var byDay = await index.ReadByDayAsync(emailEvent, stored, cancellationToken);
        await index.DeleteByRecipientAsync(emailEvent, stored, cancellationToken);
        using var answer = await table.DeleteEntityAsync(stored.PartitionKey, stored.RowKey, unchanged, cancellationToken);
        await index.DeleteByDayAsync(byDay, cancellationToken);
        return !answer.IsError;
    }

    /// <summary>Deletes the index rows of an event that is gone, found through its row in the index by day.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    internal async Task DeleteLostAsync(TableEntity dayRow, CancellationToken cancellationToken)
    {
        await touched.MarkAsync([dayRow.RowKey], cancellationToken);
        if (await index.ReadByDayAsync(dayRow, cancellationToken) is { } row
            && !(await table.GetEntityIfExistsAsync<TableEntity>(
                row.GetString(ColumnNames.EventPartitionKey),
                row.GetString(ColumnNames.EventRowKey),
                ["RowKey"],
                cancellationToken)).HasValue)
        {
            await index.DeleteLostAsync(row, cancellationToken);
        }
    }

    // After the event is stored: nothing derived from it may keep it out. If the process dies in between, the message comes again.
    private async Task DeriveAsync(IReadOnlyList<EventRow> stored, CancellationToken cancellationToken)
    {
        await recipients.FoldAsync(stored, cancellationToken);
        var past = stored.Where(e => touched.IsPast(e.Row.RowKey)).ToList();
        try
        {
            await touched.MarkAsync(past.Select(e => e.Row.RowKey), cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            past.ForEach(e => e.Fail(failure));
        }

        // Whatever storage refuses here, it has not refused the event: the message must come again and never becomes a dead letter at once.
        foreach (var e in stored.Where(e => e.Failure is RequestFailedException))
        {
            e.Fail(new LoggableException(StorageFailure.Describe(e.Failure!)));
        }
    }

    private async Task JudgeAsync(EventRow e, Exception? failure, CancellationToken cancellationToken)
    {
        if (failure is null)
        {
            e.Store();
            return;
        }

        if (failure is not RequestFailedException { ErrorCode: { } code } || code != TableErrorCode.EntityAlreadyExists)
        {
            e.Fail(failure);
            return;
        }

        try
        {
            var (partitionKey, rowKey) = (e.Row.PartitionKey, e.Row.RowKey);
            var stored = await table.GetEntityAsync<TableEntity>(partitionKey, rowKey, cancellationToken: cancellationToken);
            e.Outcome = await CompareAsync(stored.Value, e, cancellationToken);
            e.Row = stored.Value;
        }
        catch (Exception again) when (!cancellationToken.IsCancellationRequested)
        {
            e.Fail(again);
        }
    }

    private async Task<StoreOutcome> CompareAsync(TableEntity stored, EventRow e, CancellationToken cancellationToken) =>
        stored.GetString(ColumnNames.WebhookId) == e.Webhook.Id ? StoreOutcome.StoredBefore

        // Compares the bodies, not the columns: a column may have been cut.
        : await ReadAsync(stored, cancellationToken) is { } other && other.SaysTheSameAs(e.Event) ? StoreOutcome.Duplicate
        : StoreOutcome.Conflict;
}
