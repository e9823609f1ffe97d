using Azure;
using Azure.Data.Tables;

namespace Smtp2GoIngest.Storing;

/// <summary>
/// Marks the days whose rows change and that no count would look at again by itself. A mark is a row of <see cref="DaysTable"/>. A
/// maintenance run writes it before the change, so a crash in between costs a needless count and no more. A message is marked after its
/// events are stored: if the process dies in between, it comes again.
/// </summary>
/// <remarks>
/// A mark covers what is changed within <see cref="Reach"/> after it. A count that begins later has seen all of that, and takes the mark
/// away.
/// </remarks>
public sealed class TouchedDays(TableServiceClient service, TimeProvider time)
{
    /// <summary>
    /// Longer than <see cref="Rest"/> and the writes that follow a mark: a storage call with all its tries ends within a minute.
    /// </summary>
    internal static readonly TimeSpan Reach = TimeSpan.FromMinutes(30);

    // A replay of a thousand old events must not mark their day a thousand times.
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(5);

    // More days than a run touches within that time; then all are forgotten, and marked again.
    private const int MaxRemembered = 1_000;

    private readonly TableClient table = service.GetTableClient(DaysTable.TableName);
    private readonly Dictionary<string, Mark> marks = new(StringComparer.Ordinal);

    /// <summary>Whether an event that is stored needs a mark: today is counted again every hour.</summary>
    internal bool IsPast(string rowKey) => DaysTable.DayOf(rowKey) is { } day && day != EventKeys.Day(time.GetUtcNow());

    /// <summary>Marks the days of rows that are about to change, each named by its row key.</summary>
    /// <exception cref="RequestFailedException">Storage failed; nothing may be changed.</exception>
    internal Task MarkAsync(IEnumerable<string> rowKeys, CancellationToken cancellationToken) =>
        Task.WhenAll(rowKeys.Select(DaysTable.DayOf).OfType<string>().Distinct().Select(MarkAsync)).WaitAsync(cancellationToken);

    // Whoever comes while a mark is being written waits for that one.
    private Task MarkAsync(string day)
    {
        lock (marks)
        {
            if (marks.TryGetValue(day, out var mark)
                && mark.Written is { IsFaulted: false, IsCanceled: false }
                && time.GetElapsedTime(mark.Since) < Rest)
            {
                return mark.Written;
            }

            if (marks.Count >= MaxRemembered)
            {
                marks.Clear();
            }

            var written = table.CreatingIfMissing(
                t => t.UpsertEntityAsync(new TableEntity(DaysTable.Touched, day), TableUpdateMode.Replace), CancellationToken.None);
            marks[day] = new Mark(time.GetTimestamp(), written);
            return written;
        }
    }

    private sealed record Mark(long Since, Task Written);
}
