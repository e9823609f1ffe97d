using System.Globalization;
using Azure.Data.Tables;

namespace Smtp2GoIngest.Storing;

/// <summary>The table <c>Smtp2GoDays</c>: events counted by day. Its keys are ordered by day.</summary>
/// <remarks>
/// Each day (PartitionKey <c>2026-03</c>) has a row <c>2026-03-24</c>, which says when and up to what time it was counted, and a row
/// <c>2026-03-24_bounce</c> for each event, named as the partition of <c>Smtp2GoEventsByDay</c> that was counted. Two more partitions hold
/// what the runs themselves need to know. A third one, <c>audit</c>, has a row for each day that was compared with SMTP2GO; no counting
/// reads or writes it.
/// </remarks>
internal static class DaysTable
{
    public const string TableName = "Smtp2GoDays";

    /// <summary>The partition with a row for each day whose events changed after it was counted: see <see cref="TouchedDays"/>.</summary>
    public const string Touched = "touched";

    /// <summary>The partition that says how far the nightly run has come, and whether a <c>reparse</c> has not ended.</summary>
    public const string Progress = "progress";

    /// <summary>In a day's own row: storage's time when its last count began.</summary>
    public const string CountedAt = "CountedAt";

    /// <summary>In a day's own row: events of this time and later are not counted yet. The end of the day once it is over.</summary>
    public const string CountedUntil = "CountedUntil";

    // Email is older, SMTP2GO is not. The last year leaves room for the day after.
    private const int MinYear = 1970;
    private const int MaxYear = 9_998;

    private const string DayFormat = "yyyy-MM-dd";

    public static string PartitionKey(string day) => day[..7];

    /// <summary>A time in a row; null if there is none, or if somebody wrote something else.</summary>
    public static DateTimeOffset? TimeIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) ? value as DateTimeOffset? : null;

    /// <summary>Where the events of a day begin, in this table and in <c>Smtp2GoEventsByDay</c>.</summary>
    public static string From(string day) => day + "_";

    /// <summary>Every key of a day lies before this one, whatever the event's name: the character after the underscore.</summary>
    public static string After(string day) => day + "`";

    /// <summary>The day that a key of an event begins with; null if the event has no time, or an absurd one: that is not counted.</summary>
    public static string? DayOf(string key) =>
        key.Length >= DayFormat.Length
        && DateOnly.TryParseExact(
            key.AsSpan(0, DayFormat.Length), DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        && day.Year is >= MinYear and <= MaxYear
            ? key[..DayFormat.Length]
            : null;
}
