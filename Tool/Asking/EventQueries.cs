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

    /// <summary>The events without a time, all or one kind of them.</summary>
    public static string OfNoTime(string? eventName) => eventName is null
        ? OfDays(EventKeys.NoTime, EventKeys.NoTime)
        : OfPartition(EventKeys.NoTime, eventName);

    /// <summary>Every event of a range of days in UTC, both ends included.</summary>
    public static string OfDays(string from, string to) =>
        TableClient.CreateQueryFilter($"PartitionKey ge {From(from)} and PartitionKey lt {After(to)}");

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

    /// <summary>Where the partitions of a day begin.</summary>
    public static string From(string day) => day + "_";

    // The character after the underscore: every partition of the day lies before it, whatever the event's name.
    private static string After(string day) => day + "`";

    private static string OfPartition(string day, string eventName) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.ToKey($"{day}_{EventName.Normalize(eventName)}")}");

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
