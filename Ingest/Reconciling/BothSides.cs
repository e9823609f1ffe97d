namespace Smtp2GoIngest.Reconciling;

/// <summary>What both sides have of a span of time.</summary>
/// <param name="Activity">Null if it could not be read: then nothing is compared.</param>
internal sealed record BothSides(DateTimeOffset From, DateTimeOffset Until, IReadOnlyList<ActivityEvent>? Activity, StoredSlice Stored)
{
    // Asked for by the hour before and the hour after as well.
    public IReadOnlyList<ActivityEvent> Comparable { get; } = [.. (Activity ?? []).Where(e => WhyNot(e) is null)];

    public IEnumerable<NotComparable> NotComparable => (Activity ?? []).Select(WhyNot).OfType<NotComparable>();

    public bool Includes(DateTimeOffset time) => From <= time && time < Until;

    private static NotComparable? WhyNot(ActivityEvent e) =>
        e.Kind is null || e.Date is null ? Reconciling.NotComparable.UnknownEvent
        : e.EmailId is null ? Reconciling.NotComparable.NoEmailIdInSmtp2Go
        : !e.Kind.IsOfEmail && e.Recipient is null ? Reconciling.NotComparable.NoRecipient
        : null;
}
