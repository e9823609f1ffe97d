namespace Smtp2GoIngest.Tool.Asking;

/// <summary>A span of time, its end excluded.</summary>
internal sealed record TimeWindow(DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>It begins and ends at midnight in UTC, as the partitions of days do.</summary>
    public bool IsWholeDays => From.UtcDateTime.TimeOfDay == TimeSpan.Zero && Until.UtcDateTime.TimeOfDay == TimeSpan.Zero;

    /// <summary>Days as they begin and end in a time zone.</summary>
    public static TimeWindow Of(DayRange days, TimeZoneInfo zone) => new(StartOf(days.First, zone), StartOf(days.Last.AddDays(1), zone));

    /// <summary>When a day begins. Where clocks go forward at midnight, that is when they do.</summary>
    public static DateTimeOffset StartOf(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);

        // Where clocks go back across midnight there are two, and the day begins at the first.
        var offset = zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight);
        return new DateTimeOffset(midnight, offset).ToUniversalTime();
    }
}
