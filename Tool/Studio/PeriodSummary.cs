using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>What three pages show: the counts of a period.</summary>
internal sealed record PeriodSummary(Period Period, DayRange Days, Summary Summary, IReadOnlyList<Slot> Slots)
{
    /// <summary>The most events that a page counts by itself: some 20 requests.</summary>
    public const int MostLive = 20_000;

    public static async Task<PeriodSummary> ReadAsync(
        StudioStorage storage, Period period, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var days = period.Range(DateOnly.FromDateTime(now.UtcDateTime));
        var summary = await Summary.ReadAsync(storage.Tables, days, isLive: false, progress: null, cancellationToken, MostLive);
        return new PeriodSummary(period, days, summary, SlotsOf(period, days, summary, now));
    }

    public bool IsEmpty => Summary.Total.Events == 0 && Summary.Missing.Count == 0;

    /// <summary>There are events, and none of them is in the figures.</summary>
    public bool IsNothingCounted => Summary.Total.Events == 0 && Summary.Missing.Count > 0;

    /// <summary>The slots are hours, for which only the number of events is known.</summary>
    public bool IsByHour => Slots[0].Tally is null;

    /// <summary>There are more events in this time than are counted.</summary>
    public bool IsIncomplete(Slot slot) => Summary.Missing.Any(missing =>
        missing.Days.First <= slot.Days.Last && missing.Days.Last >= slot.Days.First
        && (missing.Since is not { } since || since < slot.Until));

    /// <summary>The events of one kind, or all, in these days.</summary>
    /// <param name="sender">Its domain.</param>
    public string Activity(
        string? eventName,
        DayRange? days = null,
        string? provider = null,
        string? sender = null,
        string? bounceClass = null,
        string? text = null,
        string? bounce = null,
        bool? isMachine = null)
    {
        var (first, last) = days ?? Days;
        return StudioLinks.Activity(
            eventName, sender is null ? null : $"@{sender}", domain: null, provider, bounceClass, text, first, last, bounce, isMachine);
    }

    // Some 30 columns at most, so that they can be told apart on a phone.
    private static IReadOnlyList<Slot> SlotsOf(Period period, DayRange days, Summary summary, DateTimeOffset now) => period.Days switch
    {
        <= 2 => Slot.LastHours(summary, now),
        <= 31 => Slot.Daily(summary, days),
        <= 92 => Slot.Weekly(summary, days),
        _ => Slot.Monthly(summary, days),
    };
}
