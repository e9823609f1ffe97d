namespace Smtp2GoIngest.Reconciling;

/// <summary>An event with the id that it is filled in with.</summary>
internal sealed record IdentifiedEvent(ActivityEvent Event, string Id)
{
    public DateTimeOffset Date => Event.Date!.Value;

    /// <summary>The events of a group, in order of time. Those that say the same are told apart by a number.</summary>
    public static List<IdentifiedEvent> Of(EventGroup group, IEnumerable<ActivityEvent> events) =>
    [
        .. events
            .GroupBy(e => FilledIn.Id(e, group, 0), StringComparer.Ordinal)
            .SelectMany(same => same.Select((e, n) => new IdentifiedEvent(e, n == 0 ? same.Key : FilledIn.Id(e, group, n))))
            .OrderBy(it => it.Date)
            .ThenBy(it => it.Id, StringComparer.Ordinal),
    ];
}
