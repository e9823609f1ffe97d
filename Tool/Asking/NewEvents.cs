using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Each call returns what was stored since shortly before the last one, and each row only once.</summary>
/// <param name="lateness">How long ago an event may have happened. Those of SMTP2GO's test button may be older.</param>
/// <param name="maxAge">
/// Leaves out events that were received longer than this before <see cref="StartAsync"/>: their rows were only written again. Null for all.
/// </param>
/// <remarks>It goes by the storage service's clock: a local one that is off by a minute would miss or repeat events.</remarks>
internal sealed class NewEvents(TableServiceClient service, TimeSpan lateness, TimeSpan? maxAge = null)
{
    // A row can be read only a little after its Timestamp, and reading the whole range takes a while.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(30);

    // SMTP2GO dates the events of its test button in 2019 (seen in its own test payloads), and whoever presses it watches.
    private const string TestsFrom = "2019-";
    private const string TestsUntil = "2020-";

    private readonly TableClient table = service.GetTableClient(EventIndex.ByDayTable);

    // Only rows that the next call may find again.
    private readonly Dictionary<(string, string), DateTimeOffset> seen = [];
    private DateTimeOffset? started;
    private DateTimeOffset? last;

    /// <summary>The first call of <see cref="NextAsync"/> returns what was stored since now; without it, in the last 30 seconds.</summary>
    public async Task StartAsync(CancellationToken cancellationToken) => last = started = await NowAsync(cancellationToken);

    /// <summary>It must be read to its end, or the next call begins at the same time again.</summary>
    public async IAsyncEnumerable<TableEntity> NextAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await NowAsync(cancellationToken) is not { } now)
        {
            yield break;
        }

        var since = (last ?? now) - Overlap;
        foreach (var (key, storedAt) in seen)
        {
            if (storedAt < since)
            {
                seen.Remove(key);
            }
        }

        // One after the other: a condition with an "or" between partitions would look at the whole table.
        var from = DaysTable.From(EventKeys.Day((last ?? now) - lateness));
        var more = TableClient.CreateQueryFilter($" and Timestamp ge {since}");
        if (started - maxAge is { } oldest)
        {
            more += TableClient.CreateQueryFilter($" and ReceivedAt ge {oldest}");
        }

        string[] filters =
        [
            TableClient.CreateQueryFilter($"PartitionKey ge {from}") + more,
            TableClient.CreateQueryFilter($"PartitionKey ge {TestsFrom} and PartitionKey lt {TestsUntil}") + more,
        ];
        foreach (var filter in filters)
        {
            await foreach (var row in table.RowsIfExistAsync(filter, select: null, cancellationToken))
            {
                if (seen.TryAdd((row.PartitionKey, row.RowKey), row.Timestamp ?? now))
                {
                    yield return row;
                }
            }
        }

        last = now;
    }

    /// <summary>The storage service's time.</summary>
    private async Task<DateTimeOffset?> NowAsync(CancellationToken cancellationToken)
    {
        try
        {
            var nothing = table.QueryAsync<TableEntity>("PartitionKey eq ''", maxPerPage: 1, cancellationToken: cancellationToken);
            await foreach (var page in nothing.AsPages())
            {
                return page.GetRawResponse().Headers.Date;
            }
        }
        catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
        {
            // Nothing is stored yet, and the refusal has a date as well.
            return e.GetRawResponse()?.Headers.Date;
        }

        return null;
    }
}
