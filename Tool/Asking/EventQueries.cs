using System.Globalization;
using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The filters of the usual questions, and rows read page by page: never more than two pages of 1,000 in memory.</summary>
internal static class EventQueries
{
    public static string OfEmail(string emailId) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.ToKey(emailId)}");

    /// <summary>Everything about an address. With a start time, events without a time are left out.</summary>
    public static string OfRecipient(string address, DateTimeOffset? since)
    {
        var partition = TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.RecipientPartitionKey(address)}");
        return since is { } time
            ? partition + TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.Time(time)} and RowKey lt {EventKeys.NoTime}")
            : partition;
    }

    /// <summary>The events of an address in a span of time.</summary>
    public static string OfRecipient(string address, TimeWindow span) =>
        OfRecipient(address, since: null)
        + TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.Time(span.From)} and RowKey lt {EventKeys.Time(span.Until)}");

    /// <summary>The events of an address that have no time.</summary>
    public static string OfRecipientWithoutTime(string address) =>
        OfRecipient(address, since: null) + TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.NoTime}");

    /// <summary>The events without a time, all or one kind of them.</summary>
    public static string OfNoTime(string? eventName) => eventName is null
        ? OfDays(EventKeys.NoTime, EventKeys.NoTime)
        : OfPartition(EventKeys.NoTime, eventName);

    /// <summary>Every event of a range of days in UTC, both ends included.</summary>
    public static string OfDays(string from, string to) =>
        TableClient.CreateQueryFilter($"PartitionKey ge {DaysTable.From(from)} and PartitionKey lt {DaysTable.After(to)}");

    /// <summary>The events of a span of time: one filter for all kinds, or one a day in UTC for one kind.</summary>
    public static IEnumerable<string> OfSpan(TimeWindow span, string? eventName)
    {
        var days = new DayRange(
            DateOnly.FromDateTime(span.From.UtcDateTime), DateOnly.FromDateTime(span.Until.AddTicks(-1).UtcDateTime));
        var partitions = eventName is null
            ? [OfDays(DayRange.ToText(days.First), DayRange.ToText(days.Last))]
            : days.Days.Select(day => OfPartition(DayRange.ToText(day), eventName));
        var rows = span.IsWholeDays
            ? string.Empty
            : TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.Time(span.From)} and RowKey lt {EventKeys.Time(span.Until)}");
        return partitions.Select(partition => partition + rows);
    }

    private static string OfPartition(string day, string eventName) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.ToKey($"{day}_{EventName.Normalize(eventName)}")}");

    /// <summary>Whether a query finds anything. It reads one row.</summary>
    public static async Task<bool> AnyAsync(
        this TableServiceClient service, string table, string filter, CancellationToken cancellationToken) => await service
        .GetTableClient(table)
        .QueryIfExistsAsync(filter, ["PartitionKey"], 1, null, cancellationToken)
        .AnyAsync(page => page.Values.Count > 0, cancellationToken);

    /// <summary>The first day in a table. Before it, nothing needs to be looked for day by day.</summary>
    public static async Task<DateTimeOffset> FirstDayAsync(
        this TableServiceClient service, string table, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"PartitionKey lt {EventKeys.NoTime}");
        var first = await service
            .GetTableClient(table)
            .QueryIfExistsAsync(filter, ["PartitionKey"], 1, null, cancellationToken)
            .SelectMany(page => page.Values.ToAsyncEnumerable())
            .FirstOrDefaultAsync(cancellationToken);
        return first is null ? DateTimeOffset.MaxValue
            : DaysTable.DayOf(first.PartitionKey) is { } day
                ? DateTimeOffset.Parse(day, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
            : DateTimeOffset.UnixEpoch;
    }

    /// <summary>Reads the rows of one query after another.</summary>
    public static async IAsyncEnumerable<TableEntity> RowsAsync(
        this TableServiceClient service,
        string table,
        IEnumerable<string?> filters,
        IEnumerable<string>? columns,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var filter in filters)
        {
            await foreach (var row in service.RowsAsync(table, filter, columns, cancellationToken))
            {
                yield return row;
            }
        }
    }

    /// <summary>Reads rows page by page, and the next page in the meantime; a table that does not exist has none.</summary>
    public static async IAsyncEnumerable<TableEntity> RowsAsync(
        this TableServiceClient service,
        string table,
        string? filter,
        IEnumerable<string>? columns,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var pages = service
            .GetTableClient(table)
            .QueryIfExistsAsync(filter, columns, stop.Token)
            .GetAsyncEnumerator(stop.Token);
        var next = pages.MoveNextAsync().AsTask();
        try
        {
            while (await next)
            {
                var page = pages.Current;
                next = pages.MoveNextAsync().AsTask();
                foreach (var row in page.Values)
                {
                    yield return row;
                }
            }
        }
        finally
        {
            // A caller that has seen enough does not wait for the next page, and does not hear that it failed. It must end before the
            // reader can be closed.
            await stop.CancelAsync();
            await next.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }
}
