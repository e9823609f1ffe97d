using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>How far <see cref="Recipients.RefreshAsync(RecipientPosition?, CancellationToken)"/> has come: its last row.</summary>
public sealed record RecipientPosition(string PartitionKey, string RowKey);

/// <summary>
/// The table that says who must not be mailed: one row for each address that bounced, complained, unsubscribed or was suppressed.
/// PartitionKey is the domain, RowKey the address as in the index by recipient, whose rows it is folded from.
/// </summary>
/// <remarks>Whoever changes rows of an address in the index folds it afterwards.</remarks>
public sealed class Recipients(TableServiceClient service)
{
    public const string TableName = "Smtp2GoRecipients";

    // Per call; the trigger runs up to 24 messages in parallel.
    private const int MaxParallel = 16;

    // A few rows may have a problem of their own. So many mean that storage has one, and each of them takes all its retries.
    private const int MaxFailures = 100;

    private readonly TableClient table = service.GetTableClient(TableName);
    private readonly TableClient byRecipient = service.GetTableClient(EventIndex.ByRecipientTable);
    private readonly RecipientRow recipient = new(service.GetTableClient(TableName), service.GetTableClient(EventIndex.ByRecipientTable));

    /// <summary>
    /// Folds the events of each of these addresses into its row, once. Without any that counts for a state, there is no row.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage failed, or a row changed again and again.</exception>
    public Task FoldAsync(IEnumerable<string> addresses, CancellationToken cancellationToken) =>
        FoldPartitionsAsync(addresses.Select(EventKeys.RecipientPartitionKey), cancellationToken);

    /// <summary>Folds every row again, from all that is in the index now.</summary>
    /// <exception cref="RequestFailedException">Storage failed, or a row changed again and again.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in RefreshAsync(after: null, cancellationToken))
        {
            // Nothing to remember: nobody continues it.
        }
    }

    /// <summary>
    /// The same, in the order of the keys from a position on. A row that cannot be folded stops neither the others nor the position.
    /// </summary>
    /// <param name="after">Where an earlier call stopped; null to start from the beginning.</param>
    /// <returns>After each page of up to 1,000 rows, how far it has come.</returns>
    /// <exception cref="RequestFailedException">
    /// Storage failed, or, after the last page, so many rows could not be folded: the first failure.
    /// </exception>
    public async IAsyncEnumerable<RecipientPosition> RefreshAsync(
        RecipientPosition? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // One filter for both would read the whole table.
        string?[] filters = after is null ? [null] :
        [
            TableClient.CreateQueryFilter($"PartitionKey eq {after.PartitionKey} and RowKey gt {after.RowKey}"),
            TableClient.CreateQueryFilter($"PartitionKey gt {after.PartitionKey}"),
        ];
        var failures = new ConcurrentQueue<Exception>();
        foreach (var filter in filters)
        {
            await foreach (var page in table.QueryIfExistsAsync(filter, null, cancellationToken))
            {
                await Parallel.ForEachAsync(
                    page.Values, Parallelism(cancellationToken), async (row, token) => await FoldOrKeepAsync(row, failures, token));
                if (page.Values.Count > 0)
                {
                    yield return new RecipientPosition(page.Values[^1].PartitionKey, page.Values[^1].RowKey);
                }
            }
        }

        if (failures.TryPeek(out var first))
        {
            throw Failed(failures.Count, first);
        }
    }

    /// <summary>Folds every address that has an event in the index or a row here.</summary>
    /// <exception cref="RequestFailedException">Storage failed, or a row changed again and again.</exception>
    internal async Task RebuildAsync(CancellationToken cancellationToken)
    {
        await foreach (var page in byRecipient.QueryIfExistsAsync(RecipientFold.AnyStateEvent, RecipientFold.Columns, cancellationToken))
        {
            await FoldPartitionsAsync(
                page.Values.Where(RecipientFold.IsStateEvent).Select(row => row.PartitionKey), cancellationToken);
        }

        await RefreshAsync(cancellationToken);
    }

    /// <summary>Folds the addresses of events that count for a state; the others cost nothing.</summary>
    /// <remarks>If one cannot be folded, its events have failed.</remarks>
    internal Task FoldAsync(IReadOnlyList<EventRow> events, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        events
            .Where(e => RecipientFold.IsStateEvent(e.Row))
            .SelectMany(e => PartitionsOf(e.Event).Select(partition => (Partition: partition, Event: e)))
            .GroupBy(e => e.Partition, e => e.Event),
        Parallelism(cancellationToken),
        async (about, token) =>
        {
            try
            {
                await FoldPartitionAsync(about.Key, token);
            }
            catch (Exception failure) when (!token.IsCancellationRequested)
            {
                foreach (var e in about)
                {
                    e.Fail(failure);
                }
            }
        });

    /// <summary>Folds the addresses of an event whose rows have changed, if it counts for a state.</summary>
    /// <param name="emailEvent">Null if its body is gone. Then its columns name its recipients.</param>
    /// <param name="row">Its row before the change.</param>
    /// <exception cref="RequestFailedException">Storage failed, or a row changed again and again.</exception>
    internal Task FoldAsync(EmailEvent? emailEvent, TableEntity row, CancellationToken cancellationToken) =>
        RecipientFold.IsStateEvent(row) && (emailEvent ?? EventIndex.EventOf(row)) is { } e
            ? FoldPartitionsAsync(PartitionsOf(e), cancellationToken)
            : Task.CompletedTask;

    /// <summary>Folds an address by its partition in the index.</summary>
    /// <exception cref="RequestFailedException">Storage failed, or the row changed again and again.</exception>
    internal Task FoldPartitionAsync(string partition, CancellationToken cancellationToken) =>
        recipient.FoldAsync(partition, cancellationToken);

    private static RequestFailedException Failed(int count, Exception first) => first is RequestFailedException azure
        ? new(azure.Status, $"{count} recipients could not be folded. The first: {azure.Message}", azure.ErrorCode, azure)
        : new($"{count} recipients could not be folded.", first);

    private async Task FoldOrKeepAsync(TableEntity row, ConcurrentQueue<Exception> failures, CancellationToken cancellationToken)
    {
        try
        {
            await recipient.FoldAsync(row.RowKey, row, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            failures.Enqueue(failure);
            if (failures.Count >= MaxFailures)
            {
                throw Failed(failures.Count, failure);
            }
        }
    }

    private static IEnumerable<string> PartitionsOf(EmailEvent e) =>
        EventIndex.RecipientsOf(e).Take(EventIndex.MaxRecipients).Select(EventKeys.RecipientPartitionKey);

    private static ParallelOptions Parallelism(CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken };

    private async Task FoldPartitionsAsync(IEnumerable<string> partitions, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(
            partitions.Distinct(StringComparer.Ordinal),
            Parallelism(cancellationToken),
            async (partition, token) => await FoldPartitionAsync(partition, token));
}
