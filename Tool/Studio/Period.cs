using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>How far back a page looks: whole days in UTC, as they are counted, up to and including today.</summary>
/// <param name="Key">As in the URL.</param>
public sealed record Period(string Key, string Name, int Days)
{
    /// <summary>Today and yesterday: the last 24 hours are in them, hour by hour.</summary>
    public static readonly Period Day = new("24h", "24 hours", 2);

    public static readonly Period Week = new("7d", "7 days", 7);

    public static readonly IReadOnlyList<Period> All =
        [Day, Week, new("30d", "30 days", 30), new("90d", "90 days", 90), new("13m", "13 months", 396)];

    /// <summary>A week, if the URL names none.</summary>
    public static Period Of(string? key) => All.FirstOrDefault(period => period.Key == key) ?? Week;

    internal DayRange Range(DateOnly today) => DayRange.LastDays(Days, today);
}
