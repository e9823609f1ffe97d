namespace Smtp2GoIngest.Reconciling;

/// <summary>Pairs the events of one group with its rows.</summary>
/// <remarks>
/// A filled-in row has the id of its event. Webhooks' rows are paired by time: the same second first, and what is left with the nearest.
/// One that finds its event taken by a filled-in row takes its place.
/// </remarks>
internal sealed class EventPairs
{
    // How far apart an event's times in the webhook and in the activity may be for a filled-in row to be superseded. In all that was
    // published they are equal; that they always are is not documented.
    private static readonly TimeSpan SameTime = TimeSpan.FromMinutes(1);

    private readonly List<IdentifiedEvent> unpaired;
    private readonly List<(IdentifiedEvent Event, StoredEntry Row)> filledIn = [];
    private readonly List<StoredEntry> superseded = [];
    private readonly List<StoredEntry> surplus = [];

    public EventPairs(List<IdentifiedEvent> events, IReadOnlyList<StoredEntry> rows, bool isSettled)
    {
        unpaired = [.. events];
        var ordered = rows.OrderBy(row => row.Time).ThenBy(row => row.EventRowKey, StringComparer.Ordinal).ToList();
        foreach (var row in ordered.Where(row => row.IsFilledIn))
        {
            if (Take(it => it.Id == row.Id) is { } e)
            {
                filledIn.Add((e, row));
            }
            else
            {
                // SMTP2GO still has its event, but says something else of it now, or does not list it any more.
                (events.Exists(it => IsEqual(it, row)) ? superseded : surplus).Add(row);
            }
        }

        var left = ordered.FindAll(row => !row.IsFilledIn && Take(it => IsEqual(it, row)) is null);
        left = left.FindAll(row => !TryReplace(row, TimeSpan.Zero));
        foreach (var row in left.Where(row => !isSettled || !TryReplace(row, SameTime)))
        {
            TakeNearest(row);
        }
    }

    /// <summary>Nobody has stored them.</summary>
    public IReadOnlyList<IdentifiedEvent> Missing => unpaired;

    /// <summary>Filled-in rows whose event is stored by another row, or is filled in anew.</summary>
    public IReadOnlyList<StoredEntry> Superseded => superseded;

    /// <summary>Rows without an event.</summary>
    public IReadOnlyList<StoredEntry> Surplus => surplus;

    private static bool IsEqual(IdentifiedEvent it, StoredEntry row) => Between(it, row) < TimeSpan.FromSeconds(1);

    private static TimeSpan Between(IdentifiedEvent it, StoredEntry row) => (it.Date - row.Time).Duration();

    private IdentifiedEvent? Take(Predicate<IdentifiedEvent> which)
    {
        var at = unpaired.FindIndex(which);
        var found = at < 0 ? null : unpaired[at];
        unpaired.RemoveRange(Math.Max(0, at), found is null ? 0 : 1);
        return found;
    }

    // Not if an event that nobody has stored is as near.
    private bool TryReplace(StoredEntry row, TimeSpan most)
    {
        if (filledIn.Count == 0)
        {
            return false;
        }

        var nearest = filledIn.MinBy(pair => Between(pair.Event, row));
        var distance = Between(nearest.Event, row);
        if ((distance > most && !IsEqual(nearest.Event, row)) || unpaired.Exists(it => Between(it, row) <= distance))
        {
            return false;
        }

        superseded.Add(nearest.Row);
        return filledIn.Remove(nearest);
    }

    // Groups have a handful of events. A mail scanner that opens an email ten thousand times costs a second.
    private void TakeNearest(StoredEntry row)
    {
        var nearest = unpaired.MinBy(it => Between(it, row));
        if (nearest is null || Take(it => ReferenceEquals(it, nearest)) is null)
        {
            surplus.Add(row);
        }
    }
}
