namespace Smtp2GoIngest.Reconciling;

/// <summary>A span of time to reconcile, in whole hours but for its end.</summary>
/// <param name="From">Inclusive.</param>
/// <param name="Until">Exclusive.</param>
public sealed record ReconcileWindow(DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>
    /// SMTP2GO's retries end after 96.5 hours, by the sum of its published schedule. What is older and not stored does not come any more,
    /// unless somebody presses Retry there.
    /// </summary>
    public static readonly TimeSpan Settled = TimeSpan.FromHours(100);

    /// <summary>What is younger may not be searchable yet: SMTP2GO says about two minutes, for a similar call.</summary>
    public static readonly TimeSpan Searchable = TimeSpan.FromMinutes(10);

    /// <summary>As much of a span as is old enough.</summary>
    /// <param name="from">At the beginning of an hour.</param>
    /// <param name="now">Also what SMTP2GO may still deliver by itself.</param>
    /// <returns>Empty, with its end at its beginning, if nothing is.</returns>
    public static ReconcileWindow Of(DateTimeOffset from, DateTimeOffset until, bool now, TimeProvider time)
    {
        var newest = now ? WholeMinute(time.GetUtcNow() - Searchable) : WholeHour(time.GetUtcNow() - Settled);
        var end = newest < until ? newest : until;
        return new ReconcileWindow(WholeHour(from), end > from ? end : WholeHour(from));
    }

    public bool IsEmpty => Until <= From;

    /// <summary>How many slices it is read in.</summary>
    public int Hours => (int)Math.Ceiling((Until - From).TotalHours);

    internal static DateTimeOffset WholeHour(DateTimeOffset time) =>
        new(time.UtcDateTime.Date.AddHours(time.UtcDateTime.Hour), TimeSpan.Zero);

    internal static DateTimeOffset WholeMinute(DateTimeOffset time) => WholeHour(time).AddMinutes(time.UtcDateTime.Minute);
}
