namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>An event as the app under test has stored it.</summary>
/// <param name="Event">The webhook's word.</param>
/// <param name="IsFilledIn">It came from /activity/search, not from a webhook.</param>
public sealed record StoredCopy(
    string? EmailId, string Event, string? Bounce, string? Recipient, DateTimeOffset Time, string? Id, bool IsFilledIn)
{
    private (string EmailId, string Event, string? Bounce, string Recipient) Key =>
        (EmailId ?? Smtp2GoEmail.Unavailable, Event, Bounce, Recipient ?? string.Empty);

    /// <summary>Looks for every event that names an email: stored once, from its webhook if that came, else filled in.</summary>
    /// <returns>What is wrong, in words; nothing if all is well.</returns>
    public static IEnumerable<string> Compare(IEnumerable<Smtp2GoEvent> events, IEnumerable<StoredCopy> stored)
    {
        var expected = events.Where(it => it.Email.HasId).ToLookup(KeyOf);
        var found = stored.ToLookup(copy => copy.Key);
        foreach (var group in expected)
        {
            var real = found[group.Key].Where(copy => !copy.IsFilledIn).Select(copy => copy.Id!).Order(StringComparer.Ordinal);
            if (!real.SequenceEqual(group.Where(it => it.WasDelivered).Select(it => it.Id).Order(StringComparer.Ordinal)))
            {
                yield return $"{group.Key.Event}: stored are not the webhooks that came";
            }

            var filledIn = found[group.Key].Where(copy => copy.IsFilledIn).Select(copy => copy.Time).Order();
            if (!filledIn.SequenceEqual(group.Where(it => !it.WasDelivered).Select(it => it.Date).Order()))
            {
                yield return $"{group.Key.Event}: filled in is not what was lost";
            }
        }

        foreach (var group in found.Where(group => group.Key.EmailId != Smtp2GoEmail.Unavailable && !expected.Contains(group.Key)))
        {
            yield return $"{group.Key.Event}: stored, and nobody's event";
        }
    }

    private static (string EmailId, string Event, string? Bounce, string Recipient) KeyOf(Smtp2GoEvent it) => (
        it.Email.EmailId,
        EventNames.OfWebhook(it.Kind),
        it.Kind switch
        {
            Smtp2GoEventKind.HardBounced => "hard",
            Smtp2GoEventKind.SoftBounced => "soft",
            _ => null,
        },
        it.Kind == Smtp2GoEventKind.Processed ? string.Empty : it.Recipient ?? string.Empty);
}
