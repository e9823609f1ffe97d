using System.Globalization;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Times as people read them, in one time zone.</summary>
internal sealed record TimeText(TimeZoneInfo Zone)
{
    public static readonly TimeText Utc = new(TimeZoneInfo.Utc);

    public string Heading => Zone.Equals(TimeZoneInfo.Utc) ? "Time (UTC)" : "Time (local)";

    /// <summary><c>2026-05-01 11:20:31</c>; empty if there is no time.</summary>
    public string Of(DateTimeOffset? time) => time is { } t
        ? TimeZoneInfo.ConvertTime(t, Zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
        : string.Empty;

    /// <summary>
    /// <c> on 2026-05-01 11:20:31</c> for a sentence, in which the day and the time of day are not broken apart; nothing for no time.
    /// </summary>
    public string On(DateTimeOffset? time) => time is null ? string.Empty : $" on {Of(time).Replace(' ', '\u00a0')}";

    /// <summary>A length of time in its largest unit: <c>2 s</c>, <c>5 min</c>, <c>3 h</c>, <c>2 days</c>.</summary>
    public static string Of(TimeSpan time) => time switch
    {
        { TotalSeconds: < 120 } => Number(time.TotalSeconds, "s"),
        { TotalMinutes: < 120 } => Number(time.TotalMinutes, "min"),
        { TotalHours: < 48 } => Number(time.TotalHours, "h"),
        _ => Number(time.TotalDays, "days"),
    };

    /// <summary>The same for a number of seconds; a dash if it is not known.</summary>
    public static string OfSeconds(double? seconds) => seconds is { } s ? Of(TimeSpan.FromSeconds(s)) : "–";

    private static string Number(double value, string unit) => FormattableString.Invariant($"{Math.Floor(value):0} {unit}");
}
