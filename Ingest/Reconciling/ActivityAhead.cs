namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// SMTP2GO's side of a window, hour by hour. Where little happens it reads many hours with one call, so that a month of a small account
/// takes a minute.
/// </summary>
/// <param name="start">Events without a time are given to the first hour from there on: they are only counted.</param>
/// <param name="end">Nothing is read from there on.</param>
internal sealed class ActivityAhead(ActivityReader reader, DateTimeOffset start, DateTimeOffset end)
{
    // Kept until their hours are asked for.
    private const int MaxEvents = 10_000;

    private static readonly TimeSpan Shortest = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private IReadOnlyList<ActivityEvent> ahead = [];
    private DateTimeOffset until = DateTimeOffset.MinValue;
    private TimeSpan span = Longest;

    /// <summary>The events of one hour or less. Each call must begin where the one before ended.</summary>
    /// <returns>Null if SMTP2GO does not list them in the same way twice.</returns>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    public async Task<IReadOnlyList<ActivityEvent>?> ReadAsync(
        DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        while (from >= until && span > Shortest)
        {
            var last = end - from < span ? end : from + span;
            var events = await reader.ReadUpToAsync(MaxEvents, from, last, cancellationToken);
            if (events is not null)
            {
                (ahead, until) = (events, last);
            }

            span = events switch
            {
                null => span / 2,
                { Count: < MaxEvents / 4 } => span * 2,
                _ => span,
            };
            span = span > Longest ? Longest : span;
        }

        if (from < until)
        {
            return TakeUntil(to);
        }

        var hour = await reader.ReadAsync(from, to, cancellationToken);
        span = hour?.Count < MaxEvents / 4 ? Shortest * 2 : Shortest;
        return hour;
    }

    private List<ActivityEvent> TakeUntil(DateTimeOffset to)
    {
        var hour = ahead.ToLookup(e => e.Date is { } date ? date < to : to > start);
        ahead = [.. hour[false]];
        return [.. hour[true]];
    }
}
