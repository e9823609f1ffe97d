namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// What an event is, in the two vocabularies of SMTP2GO: that of webhooks, with which rows are stored, and that of
/// <c>/activity/search</c>.
/// </summary>
/// <param name="Event">The webhook's <c>event</c>.</param>
/// <param name="Bounce">The webhook's <c>bounce</c>: <c>hard</c> or <c>soft</c>; null for other events.</param>
/// <param name="ActivityName">The name in <c>/activity/search</c>.</param>
public sealed record EventKind(string Event, string? Bounce, string ActivityName)
{
    internal const string Processed = "processed";

    /// <summary>Every kind that <c>/activity/search</c> knows, each once.</summary>
    public static readonly IReadOnlyList<EventKind> All =
    [
        new(Processed, null, Processed),
        new("delivered", null, "delivered"),
        new("bounce", "hard", "hard-bounced"),
        new("bounce", "soft", "soft-bounced"),
        new("reject", null, "rejected"),
        new("open", null, "opened"),
        new("click", null, "clicked"),
        new("spam", null, "spam"),
        new("unsubscribe", null, "unsubscribed"),
        new("resubscribe", null, "resubscribed"),
    ];

    /// <summary>
    /// True for <c>processed</c>: webhooks report it once for each email, <c>/activity/search</c> perhaps once for each recipient.
    /// </summary>
    internal bool IsOfEmail => Event == Processed;

    /// <summary>The kind of an event of <c>/activity/search</c>; null if it has a new name.</summary>
    internal static EventKind? OfActivity(string? name) => All.FirstOrDefault(kind => kind.ActivityName == name?.Trim());

    /// <summary>The kind of a stored row; null if <c>/activity/search</c> has none like it.</summary>
    /// <remarks>A bounce that does not say whether it is hard counts as soft, as everywhere in this app.</remarks>
    internal static EventKind? OfRow(string? name, string? bounce) => All.FirstOrDefault(kind => kind.Event == name
        && (kind.Bounce is null || kind.Bounce == (string.Equals(bounce, "hard", StringComparison.OrdinalIgnoreCase) ? "hard" : "soft")));

    /// <summary>For people: <c>bounce (hard)</c>.</summary>
    public override string ToString() => Bounce is null ? Event : $"{Event} ({Bounce})";
}
