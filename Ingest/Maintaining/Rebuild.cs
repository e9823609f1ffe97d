using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Makes rows again from what they were made of; both ways can be repeated, and broken off and begun again.</summary>
/// <param name="service">The storage account.</param>
/// <param name="events">The events.</param>
/// <param name="letters">Where an event goes that meets another one.</param>
/// <param name="time">The clock.</param>
public sealed class Rebuild(TableServiceClient service, EventStore events, DeadLetters letters, TimeProvider time)
{
    // More than two clocks are apart. Rows that were just written again need no look.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    private const int MaxParallel = 16;

    private readonly TableClient table = service.GetTableClient(EventStore.TableName);

    /// <summary>Makes the index tables again from <c>Smtp2GoEvents</c>, and deletes index rows whose event is gone.</summary>
    /// <param name="progress">Told of the number so far.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>How many events were indexed.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> ReindexAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var started = time.GetUtcNow();
        var count = 0L;
        await foreach (var page in table.QueryIfExistsAsync(null, null, cancellationToken))
        {
            var read = await Task.WhenAll(page.Values.Select(async row => (Event: await events.ReadAsync(row, cancellationToken), Row: row)));
            await events.ReindexAsync([.. read.Where(r => r.Event is not null).Select(r => (r.Event!, r.Row))], cancellationToken);
            count += page.Values.Count;
            progress?.Report(count);
        }

        await DeleteOrphansAsync(TableClient.CreateQueryFilter($"Timestamp lt {started - Grace}"), cancellationToken);
        return count;
    }

    /// <summary>Makes every row's columns again from its body, after a mended parser for example; a row whose keys change moves.</summary>
    /// <param name="progress">Told of the number of events so far.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>How many rows changed.</returns>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<long> ReparseAsync(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var (count, changed, moved) = (0L, 0L, 0L);
        await foreach (var page in table.QueryIfExistsAsync(null, null, cancellationToken))
        {
            foreach (var row in page.Values)
            {
                var reparsed = await ReparseAsync(row, cancellationToken);
                changed += reparsed == Reparsed.Unchanged ? 0 : 1;
                moved += reparsed == Reparsed.Moved ? 1 : 0;
            }

            count += page.Values.Count;
            progress?.Report(count);
        }

        if (moved > 0)
        {
            // What a moved row left in the index. A run that was cut short here leaves it to `reindex`.
            await DeleteOrphansAsync(null, cancellationToken);
        }

        return changed;
    }

    private async Task<Reparsed> ReparseAsync(TableEntity row, CancellationToken cancellationToken)
    {
        if (await events.ReadAsync(row, cancellationToken) is not { } emailEvent)
        {
            return Reparsed.Unchanged;
        }

        var again = EventColumns.ToRow(emailEvent, WebhookOf(row));
        if (row.TryGetValue(EventColumns.Redacted, out var redacted))
        {
            again[EventColumns.Redacted] = redacted;
        }

        if (Describe(again).SequenceEqual(Describe(row)))
        {
            return Reparsed.Unchanged;
        }

        if (await events.RewriteAsync(emailEvent, again, cancellationToken) == StoreOutcome.Conflict)
        {
            await letters.KeepAsync(WebhookOf(row), DeadLetterReason.Conflict, "Read again, this is another event of the same id, name and recipient.", cancellationToken);
        }

        if ((again.PartitionKey, again.RowKey) == (row.PartitionKey, row.RowKey))
        {
            return Reparsed.Changed;
        }

        await table.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: cancellationToken);
        return Reparsed.Moved;
    }

    private enum Reparsed
    {
        Unchanged,
        Changed,
        Moved,
    }

    private static ReceivedWebhook WebhookOf(TableEntity row) => new(
        row.GetString(EventColumns.WebhookId),
        row.GetDateTimeOffset(EventColumns.ReceivedAt) ?? default,
        row.GetString(EventColumns.ContentType),
        row.GetString(EventColumns.Body),
        row.GetString(EventColumns.BodyBlob));

    private static IEnumerable<(string, object)> Describe(TableEntity row) => row
        .Where(property => property.Key is not ("Timestamp" or "odata.etag"))
        .OrderBy(property => property.Key, StringComparer.Ordinal)
        .Select(property => (property.Key, property.Value));

    // An event's own row is written before its index rows, so an index row without it has lost it.
    private async Task DeleteOrphansAsync(string? filter, CancellationToken cancellationToken)
    {
        foreach (var index in new[] { service.GetTableClient(EventIndex.ByDayTable), service.GetTableClient(EventIndex.ByRecipientTable) })
        {
            await foreach (var page in index.QueryIfExistsAsync(filter, ["PartitionKey", "RowKey", EventIndex.EventPartitionKey, EventIndex.EventRowKey], cancellationToken))
            {
                await Parallel.ForEachAsync(page.Values, new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken }, async (row, token) =>
                {
                    var stored = await table.GetEntityIfExistsAsync<TableEntity>(
                        row.GetString(EventIndex.EventPartitionKey) ?? string.Empty, row.GetString(EventIndex.EventRowKey) ?? string.Empty, ["RowKey"], token);
                    if (!stored.HasValue)
                    {
                        await index.DeleteEntityAsync(row.PartitionKey, row.RowKey, cancellationToken: token);
                    }
                });
            }
        }
    }
}
