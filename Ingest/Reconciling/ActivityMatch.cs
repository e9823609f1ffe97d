namespace Smtp2GoIngest.Reconciling;

/// <summary>An event that SMTP2GO has and that is not stored.</summary>
/// <param name="Date">Of its group's first event for <c>processed</c>, else its own.</param>
/// <param name="Id">With which it is filled in.</param>
/// <param name="Recipients">Of a <c>processed</c>: all of the email's.</param>
public sealed record MissingEvent(
    ActivityEvent Event, EventGroup Group, DateTimeOffset Date, string Id, IReadOnlyList<string> Recipients);

/// <summary>What came of comparing two lists.</summary>
/// <param name="Missing">In SMTP2GO and not stored.</param>
/// <param name="Surplus">Stored, and SMTP2GO does not have it: it is older than what SMTP2GO keeps, for example.</param>
/// <param name="Superseded">Filled in, but the webhook has come after all: to be removed.</param>
internal sealed record ActivityMatch(
    IReadOnlyList<MissingEvent> Missing, IReadOnlyList<StoredEntry> Surplus, IReadOnlyList<StoredEntry> Superseded)
{
    /// <summary>Compares events of the same span of time. A pure function: the order of both lists does not matter.</summary>
    /// <param name="activity">Each has an email, a known kind, a time and, but for processed, a recipient.</param>
    /// <param name="isSettled">
    /// SMTP2GO lists all that there is. If not, only a webhook of the same second supersedes a filled-in row.
    /// </param>
    public static ActivityMatch Of(IReadOnlyList<ActivityEvent> activity, IReadOnlyList<StoredEntry> stored, bool isSettled)
    {
        List<MissingEvent> missing = [];
        List<StoredEntry> surplus = [];
        List<StoredEntry> superseded = [];
        var byGroup = stored.ToLookup(entry => entry.Group);
        var groups = activity.ToLookup(e => EventGroup.Of(e.EmailId!, e.Kind!, e.Recipient));
        foreach (var group in groups)
        {
            var rows = byGroup[group.Key].ToList();
            if (group.Key.Kind.IsOfEmail)
            {
                // However many there are: an email is processed once, and so is it stored.
                var filledIn = rows.Where(row => row.IsFilledIn).OrderBy(row => row.EventRowKey, StringComparer.Ordinal);
                var gone = filledIn.Skip(rows.Exists(row => !row.IsFilledIn) ? 0 : 1).ToList();
                superseded.AddRange(gone);
                surplus.AddRange(rows.Except(gone).OrderBy(row => row.Time).Skip(1));
                if (rows.Count == 0)
                {
                    missing.Add(MissingOf(group));
                }
            }
            else
            {
                var pairs = new EventPairs(IdentifiedEvent.Of(group.Key, group), rows, isSettled);
                missing.AddRange(pairs.Missing.Select(it => new MissingEvent(it.Event, group.Key, it.Event.Date!.Value, it.Id, [])));
                surplus.AddRange(pairs.Surplus);
                superseded.AddRange(pairs.Superseded);
            }
        }

        surplus.AddRange(stored.Where(entry => !groups.Contains(entry.Group)));
        return new ActivityMatch(missing, surplus, superseded);
    }

    private static MissingEvent MissingOf(IGrouping<EventGroup, ActivityEvent> processed)
    {
        var first = processed.OrderBy(e => e.Date).ThenBy(e => e.Recipient, StringComparer.Ordinal).First();
        var recipients = processed.SelectMany(e => e.Recipients.Count > 0 ? e.Recipients : e.Recipient is { } one ? [one] : [])
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.Ordinal)
            .ToList();
        return new MissingEvent(first, processed.Key, first.Date!.Value, FilledIn.Id(first, processed.Key, 0), recipients);
    }
}
