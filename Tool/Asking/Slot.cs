namespace Smtp2GoIngest.Tool.Asking;

/// <summary>A stretch of a summary: an hour, a day, some days or a month.</summary>
/// <param name="Until">When it ends (exclusive).</param>
/// <param name="Counts">By event.</param>
/// <param name="Tally">Null for an hour: only the number of events is counted by hour.</param>
internal sealed record Slot(DateTimeOffset From, DateTimeOffset Until, IReadOnlyDictionary<string, long> Counts, Tally? Tally)
{
    private const int HoursInADay = 24;

    /// <summary>The days in UTC that it lies in.</summary>
    public DayRange Days => new(DateOnly.FromDateTime(From.UtcDateTime), DateOnly.FromDateTime(Until.AddTicks(-1).UtcDateTime));

    public long Of(string name) => Counts.GetValueOrDefault(name);

    /// <summary>The hour that it is now and the 23 before it.</summary>
    /// <param name="summary">It must have today and yesterday.</param>
    public static IReadOnlyList<Slot> LastHours(Summary summary, DateTimeOffset now)
    {
        var hour = new DateTimeOffset(now.UtcDateTime.Date.AddHours(now.UtcDateTime.Hour), TimeSpan.Zero);
        return
        [
            .. Enumerable.Range(1 - HoursInADay, HoursInADay).Select(i => hour.AddHours(i)).Select(from => new Slot(
                from,
                from.AddHours(1),
                summary.Of(DateOnly.FromDateTime(from.UtcDateTime)).ByHour
                    .ToDictionary(hours => hours.Key, hours => hours.Value[from.UtcDateTime.Hour], StringComparer.Ordinal),
                Tally: null)),
        ];
    }

    /// <summary>Each day, with those that have no events.</summary>
    public static IReadOnlyList<Slot> Daily(Summary summary, DayRange days) => InSpans(summary, days, day => day);

    /// <summary>Seven days each, counted back from the last day, so that only the first may be shorter.</summary>
    public static IReadOnlyList<Slot> Weekly(Summary summary, DayRange days) =>
        InSpans(summary, days, day => days.Last.AddDays(-((days.Last.DayNumber - day.DayNumber) / 7 * 7)));

    /// <summary>Calendar months; the first and the last may be only a part of one.</summary>
    public static IReadOnlyList<Slot> Monthly(Summary summary, DayRange days) =>
        InSpans(summary, days, day => new DateOnly(day.Year, day.Month, 1));

    private static List<Slot> InSpans(Summary summary, DayRange days, Func<DateOnly, DateOnly> spanOf) =>
    [
        .. days.Days.GroupBy(spanOf).Select(span =>
        {
            var tally = new Tally();
            foreach (var day in span)
            {
                tally.Add(summary.Of(day));
            }

            return new Slot(StartOf(span.First()), StartOf(span.Last().AddDays(1)), tally.Counts, tally);
        }),
    ];

    private static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);
}
