namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>
/// When SMTP2GO tries to send a webhook, by its published list: 5 times in the first 30 minutes, hourly for 24 h, every 6 h for 24 h, every
/// 12 h for 24 h, and once more. The text beside the list says 48 h and 35 tries, and which delay the last one has is not said.
/// </summary>
public static class RetrySchedule
{
    /// <summary>How long after the first try each of the tries comes, the first one included.</summary>
    public static IReadOnlyList<TimeSpan> Tries { get; } =
    [
        .. Every(TimeSpan.Zero, TimeSpan.FromMinutes(7.5), 5, first: 0),
        .. Every(TimeSpan.FromHours(0.5), TimeSpan.FromHours(1), 24),
        .. Every(TimeSpan.FromHours(24.5), TimeSpan.FromHours(6), 4),
        .. Every(TimeSpan.FromHours(48.5), TimeSpan.FromHours(12), 2),
        .. Every(TimeSpan.FromHours(72.5), TimeSpan.FromHours(24), 1),
    ];

    /// <summary>Between two tries there is more time than this: what comes due within it does not depend on what happens in it.</summary>
    internal static TimeSpan Step { get; } = TimeSpan.FromMinutes(5);

    private static IEnumerable<TimeSpan> Every(TimeSpan from, TimeSpan step, int count, int first = 1) =>
        Enumerable.Range(first, count).Select(i => from + (i * step));
}
