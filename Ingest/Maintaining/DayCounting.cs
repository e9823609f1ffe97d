using System.Runtime.ExceptionServices;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>
/// Counts days into <c>Smtp2GoDays</c>. A day is always counted whole and its rows are replaced together, so a count can be repeated, and
/// when two run at once, the one that began first gives way.
/// </summary>
public sealed partial class DayCounting(
    TableServiceClient service, Recipients recipients, StorageClock clock, TimeProvider time, ILogger<DayCounting> logger)
{
    /// <summary>When it runs: five minutes past every hour, so that the events of the last minutes are stored.</summary>
    public const string Schedule = "0 5 * * * *";

    // SMTP2GO sends a webhook again for up to 97 hours.
    private const int DaysAtNight = 5;

    // At night, after the retention's run. The first run from then on counts them.
    private static readonly TimeSpan Night = TimeSpan.FromHours(4);

    // The day before is counted again in these first hours of a day.
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(3);

    private readonly TableClient days = service.GetTableClient(DaysTable.TableName);
    private readonly DayCounter counter = new(service, clock, time);
    private readonly RecipientRefresh refresh = new(service, recipients);

    /// <summary>
    /// Counts what is due: today every hour, the last days every night, touched days, and days that no run has counted. Folds all
    /// recipients every night.
    /// </summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task CountDueAsync(CancellationToken cancellationToken)
    {
        var marks = await ReadMarksAsync(cancellationToken);
        var due = await ReadDueAsync(cancellationToken);
        var failures = await CountAsync(due.Union(marks.Keys), marks, cancellationToken);
        try
        {
            await refresh.RefreshSinceAsync(LastNight(), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            failures.Add(e);
        }

        failures.ForEach(failure => ExceptionDispatchInfo.Throw(failure));
    }

    /// <summary>Counts the days that a maintenance run has touched. What cannot be counted now is left to the next hour.</summary>
    internal async Task CountTouchedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var marks = await ReadMarksAsync(cancellationToken);
            var failures = await CountAsync(marks.Keys, marks, cancellationToken);
            if (failures.Count > 0)
            {
                Log.Left(logger, failures.Count, StorageFailure.Describe(failures[0]));
            }
        }
        catch (RequestFailedException e)
        {
            Log.Left(logger, 1, StorageFailure.Describe(e));
        }
    }

    /// <returns>The failures; the other days are counted.</returns>
    private async Task<List<Exception>> CountAsync(
        IEnumerable<string> which, Dictionary<string, TableEntity> marks, CancellationToken cancellationToken)
    {
        var (counted, events, failures) = (0, 0L, new List<Exception>());
        foreach (var day in which.Order(StringComparer.Ordinal))
        {
            try
            {
                var (began, count) = await counter.CountAsync(day, cancellationToken);
                (counted, events) = (counted + 1, events + count);
                if (marks.TryGetValue(day, out var mark) && mark.Timestamp < began - TouchedDays.Reach)
                {
                    await refresh.RefreshDayAsync(day, cancellationToken);

                    // If it was touched again in the meantime, the new mark stays.
                    await days.DeleteIfUnchangedAsync(mark, cancellationToken);
                }
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                failures.Add(e);
            }
        }

        Log.Counted(logger, counted, events);
        return failures;
    }

    private async Task<Dictionary<string, TableEntity>> ReadMarksAsync(CancellationToken cancellationToken) =>
        await days.RowsIfExistAsync(TableClient.CreateQueryFilter($"PartitionKey eq {DaysTable.Touched}"), null, cancellationToken)
            .Where(mark => DaysTable.DayOf(mark.RowKey) == mark.RowKey)
            .ToDictionaryAsync(mark => mark.RowKey, StringComparer.Ordinal, cancellationToken);

    private async Task<HashSet<string>> ReadDueAsync(CancellationToken cancellationToken)
    {
        var (now, night) = (time.GetUtcNow(), LastNight());
        var (first, last) = (EventKeys.Day(now.AddDays(-DayCounter.DaysKept)), EventKeys.Day(now));
        var filter = TableClient.CreateQueryFilter(
            $"PartitionKey ge {DaysTable.PartitionKey(first)} and PartitionKey le {DaysTable.PartitionKey(last)} and RowKey ge {first}");
        Dictionary<string, DateTimeOffset?> counted = new(StringComparer.Ordinal);
        await foreach (var page in days.QueryIfExistsAsync(filter, ["RowKey", DaysTable.CountedAt], cancellationToken))
        {
            foreach (var row in page.Values.Where(row => DaysTable.DayOf(row.RowKey) == row.RowKey))
            {
                counted[row.RowKey] = DaysTable.TimeIn(row, DaysTable.CountedAt);
            }
        }

        HashSet<string> due = [last, EventKeys.Day(now - Overlap)];
        for (var ago = 1; ago <= DayCounter.DaysKept; ago++)
        {
            // A day that was counted before it was over, or before its last night, because no run succeeded since.
            var day = now.AddDays(-ago);
            var needed = ago <= DaysAtNight ? night : night.AddDays(DaysAtNight - ago);
            if (counted.GetValueOrDefault(EventKeys.Day(day)) is not { } at || at < needed)
            {
                due.Add(EventKeys.Day(day));
            }
        }

        return due;
    }

    private DateTimeOffset LastNight()
    {
        var now = time.GetUtcNow();
        var midnight = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return now - midnight >= Night ? midnight + Night : midnight.AddDays(-1) + Night;
    }

    private static partial class Log
    {
        [LoggerMessage(340, LogLevel.Information, "Counted {Events} events of {Days} days into Smtp2GoDays.")]
        public static partial void Counted(ILogger logger, int days, long events);

        [LoggerMessage(341, LogLevel.Warning, "{Days} touched days could not be counted: {Failure}. The next run of CountDays does it.")]
        public static partial void Left(ILogger logger, int days, string failure);
    }
}
