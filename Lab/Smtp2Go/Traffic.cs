namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Mail that nobody sent, and what happened to it: some 2.7 events for each email. A seed always gives the same.</summary>
public static class Traffic
{
    /// <summary>One in so many events can be searched hours after it happened, and not minutes.</summary>
    private const int OneIsLate = 200;

    public static IReadOnlyList<Smtp2GoEvent> Day(int seed, int emails, DateTimeOffset from) =>
        Between(seed, emails, from, from.AddDays(1));

    public static IReadOnlyList<Smtp2GoEvent> Week(int seed, int emails, DateTimeOffset from) =>
        Between(seed, emails, from, from.AddDays(7));

    /// <summary>Emails that were sent in a span of time, and their events in it, in the order of their dates.</summary>
    public static IReadOnlyList<Smtp2GoEvent> Between(int seed, int emails, DateTimeOffset from, DateTimeOffset until)
    {
        var random = new Random(seed);
        List<Smtp2GoEvent> events = [];
        for (var i = 0; i < emails; i++)
        {
            var submitted = WholeSecond(from + (random.NextDouble() * (until - from)));
            events.AddRange(EmailHistory.Of(submitted, random).Where(it => it.Date < until));
        }

        foreach (var late in events.Where(_ => random.Next(OneIsLate) == 0))
        {
            late.SearchableFrom += TimeSpan.FromMinutes(random.Next(10, 12 * 60));
        }

        return [.. events.OrderBy(it => it.Date)];
    }

    private static DateTimeOffset WholeSecond(DateTimeOffset time) =>
        new(time.UtcTicks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
}
