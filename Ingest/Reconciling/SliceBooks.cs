namespace Smtp2GoIngest.Reconciling;

/// <summary>Makes the books of one slice.</summary>
internal static class SliceBooks
{
    public static ReconcileBooks Of(
        BothSides slice, IEnumerable<MissingEvent> missing, IEnumerable<StoredEntry> surplus, IReadOnlyCollection<StoredEntry> superseded)
    {
        var inSmtp2Go = Count(slice.Comparable.Where(e => !e.Kind!.IsOfEmail)
            .Select(e => e.Kind!)
            .Concat(slice.Comparable.Where(e => e.Kind!.IsOfEmail).DistinctBy(e => e.EmailId).Select(e => e.Kind!)));
        var stored = Count(slice.Stored.Entries.Except(superseded).Select(entry => entry.Group.Kind));
        var notStored = Count(missing.Select(e => e.Group.Kind));
        var notThere = Count(surplus.Select(entry => entry.Group.Kind));
        var kinds = EventKind.All
            .Select(kind => (Kind: kind, Books: new KindBooks(
                inSmtp2Go[kind], stored[kind], inSmtp2Go[kind] - notStored[kind], notStored[kind], notThere[kind])))
            .Where(it => it.Books != KindBooks.None)
            .ToDictionary(it => it.Kind, it => it.Books);
        var left = new Dictionary<NotComparable, long>(slice.Stored.NotComparable);
        foreach (var reason in slice.NotComparable)
        {
            left[reason] = left.GetValueOrDefault(reason) + 1;
        }

        return new ReconcileBooks(kinds, 0, superseded.Count, 0, left, slice.Activity is null ? [slice.From] : []);
    }

    private static Dictionary<EventKind, long> Count(IEnumerable<EventKind> kinds)
    {
        var counts = EventKind.All.ToDictionary(kind => kind, _ => 0L);
        foreach (var kind in kinds)
        {
            counts[kind]++;
        }

        return counts;
    }
}
