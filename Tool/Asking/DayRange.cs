using System.Globalization;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Whole days, both ends included.</summary>
internal sealed record DayRange(DateOnly First, DateOnly Last)
{
    /// <summary>How a range can be written, for help and errors.</summary>
    public const string Forms = "today, yesterday, 7d (the last seven days), 2026, 2026-05, 2026-05-01 or 2026-05-01..2026-05-07";

    // SMTP2GO is younger than that, and every time zone still has a day before and after.
    private const int MinYear = 1970;
    private const int MaxYear = 9_998;

    private const string DayFormat = "yyyy-MM-dd";

    /// <summary>Ten years: every day is at least one request.</summary>
    private const int MaxDays = 3_660;

    public IEnumerable<DateOnly> Days
    {
        get
        {
            for (var day = First; day <= Last; day = day.AddDays(1))
            {
                yield return day;
            }
        }
    }

    /// <summary>The last days, up to and including today.</summary>
    public static DayRange LastDays(int count, DateOnly today) => new(today.AddDays(1 - count), today);

    /// <summary>From one day to another; without one of them, for ever in that direction.</summary>
    public static DayRange Between(DateOnly? first, DateOnly? last) =>
        new(first ?? new DateOnly(MinYear, 1, 1), last ?? new DateOnly(MaxYear, 12, 31));

    public static string ToText(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    /// <summary>Reads a day: <c>today</c>, <c>yesterday</c> or <c>2026-05-01</c>.</summary>
    public static DateOnly? ParseDay(string text, DateOnly today) => text.Trim().ToLowerInvariant() switch
    {
        "today" => today,
        "yesterday" => today.AddDays(-1),
        var other => DateOnly.TryParseExact(other, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day.Year is >= MinYear and <= MaxYear
                ? day
                : null,
    };

    /// <summary>Reads a range in one of the <see cref="Forms"/>.</summary>
    /// <returns>Null, and what is wrong, if it is not one.</returns>
    public static DayRange? Parse(string text, DateOnly today, out string? problem)
    {
        problem = null;
        var range = text.Split("..") is [var from, var to] ? BothOf(ParseDay(from, today), ParseDay(to, today))
            : ParseDay(text, today) is { } day ? new DayRange(day, day)
            : ParseMonth(text) ?? ParseYear(text) ?? (ParseCount(text) is { } count ? LastDays(count, today) : null);
        if (range is null)
        {
            problem = $"'{text}' is not a day or a range of days: write {Forms}.";
        }
        else if (range.First > range.Last)
        {
            problem = $"{ToText(range.First)} is after {ToText(range.Last)}: give the first day first.";
        }
        else if (range.Last.DayNumber - range.First.DayNumber >= MaxDays)
        {
            problem = FormattableString.Invariant($"'{text}' is more than {MaxDays:N0} days.");
        }

        return problem is null ? range : null;
    }

    /// <summary>Whether a time is in one of the days in UTC.</summary>
    public bool Includes(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime) is var day && First <= day && day <= Last;

    public override string ToString() => First == Last ? ToText(First) : $"{ToText(First)} to {ToText(Last)}";

    private static DayRange? BothOf(DateOnly? first, DateOnly? last) => first is { } f && last is { } l ? new DayRange(f, l) : null;

    private static DayRange? ParseMonth(string text) =>
        DateOnly.TryParseExact(text.Trim(), "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first)
        && first.Year is >= MinYear and <= MaxYear
            ? new DayRange(first, first.AddDays(DateTime.DaysInMonth(first.Year, first.Month) - 1))
            : null;

    private static DayRange? ParseYear(string text) =>
        DateOnly.TryParseExact(text.Trim(), "yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first)
        && first.Year is >= MinYear and <= MaxYear
            ? new DayRange(first, new DateOnly(first.Year, 12, 31))
            : null;

    private static int? ParseCount(string text) =>
        int.TryParse(text.Trim().TrimEnd('d', 'D'), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && count is > 0 and <= MaxDays
            ? count
            : null;
}
