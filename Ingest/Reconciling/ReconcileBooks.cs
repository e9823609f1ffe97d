namespace Smtp2GoIngest.Reconciling;

/// <summary>The figures of one kind of event.</summary>
/// <param name="InSmtp2Go">In <c>/activity/search</c>. Of <c>processed</c>, how many emails.</param>
/// <param name="Stored">Without what was filled in and removed by this run.</param>
/// <param name="Matched">On both sides.</param>
/// <param name="Missing">In SMTP2GO and not stored.</param>
/// <param name="Surplus">Stored, and not in SMTP2GO.</param>
public sealed record KindBooks(long InSmtp2Go, long Stored, long Matched, long Missing, long Surplus)
{
    internal static readonly KindBooks None = new(0, 0, 0, 0, 0);

    internal KindBooks Plus(KindBooks other) => new(
        InSmtp2Go + other.InSmtp2Go, Stored + other.Stored, Matched + other.Matched, Missing + other.Missing, Surplus + other.Surplus);
}

/// <summary>The books of a run, or of one slice of it: every event of both sides is in one of the figures.</summary>
/// <param name="Kinds">Only kinds that occur.</param>
/// <param name="FilledIn">Put into the queue.</param>
/// <param name="Superseded">Filled in earlier, and the webhook has come after all.</param>
/// <param name="Removed">Of these, how many this run has removed.</param>
/// <param name="NotComparable">Left out, by the reason.</param>
/// <param name="Unread">Hours that SMTP2GO did not list the same way twice: nothing is known about them.</param>
public sealed record ReconcileBooks(
    IReadOnlyDictionary<EventKind, KindBooks> Kinds,
    long FilledIn,
    long Superseded,
    long Removed,
    IReadOnlyDictionary<NotComparable, long> NotComparable,
    IReadOnlyList<DateTimeOffset> Unread)
{
    public static readonly ReconcileBooks None =
        new(new Dictionary<EventKind, KindBooks>(), 0, 0, 0, new Dictionary<NotComparable, long>(), []);

    /// <summary>Of all kinds together.</summary>
    public KindBooks Total => Kinds.Values.Aggregate(KindBooks.None, (sum, books) => sum.Plus(books));

    public ReconcileBooks Plus(ReconcileBooks other) => new(
        Sum(Kinds, other.Kinds, (one, two) => one.Plus(two)),
        FilledIn + other.FilledIn,
        Superseded + other.Superseded,
        Removed + other.Removed,
        Sum(NotComparable, other.NotComparable, (one, two) => one + two),
        [.. Unread, .. other.Unread]);

    private static Dictionary<TKey, TValue> Sum<TKey, TValue>(
        IReadOnlyDictionary<TKey, TValue> one, IReadOnlyDictionary<TKey, TValue> two, Func<TValue, TValue, TValue> add)
        where TKey : notnull =>
        one.Concat(two).GroupBy(it => it.Key, it => it.Value).ToDictionary(it => it.Key, it => it.Aggregate(add));
}

/// <summary>One hour of a run, or less at its end.</summary>
/// <param name="Missing">If they were to be filled in, they are in the queue.</param>
public sealed record ReconciledSlice(
    DateTimeOffset From, DateTimeOffset Until, IReadOnlyList<MissingEvent> Missing, ReconcileBooks Books);
