namespace Smtp2GoIngest.Tool.Asking;

/// <summary>How fast an export is, and how long it will still take, judging by the days that are done.</summary>
/// <param name="Left">Null until a day is done.</param>
internal sealed record ExportPace(long PerSecond, int Day, int Days, TimeSpan? Left)
{
    /// <param name="days">What is to be exported in this run.</param>
    /// <param name="day">The day it is at.</param>
    /// <param name="events">How many it has written.</param>
    public static ExportPace Of(DayRange days, DateOnly day, long events, TimeSpan elapsed)
    {
        var (done, all) = (day.DayNumber - days.First.DayNumber, days.Last.DayNumber - days.First.DayNumber + 1);
        return new ExportPace(
            (long)(events / Math.Max(elapsed.TotalSeconds, 0.001)),
            done + 1,
            all,
            done == 0 ? null : elapsed * ((double)(all - done) / done));
    }
}
