namespace Smtp2GoIngest.Tool.Studio;

/// <summary>The URLs of the pages, relative to their base. What comes from outside is only in the query, and escaped.</summary>
internal static class StudioLinks
{
    public const string Overview = "";

    public const string DeadLetters = "dead-letters";

    public const string Health = "health";

    public static string Email(string emailId) => With("email", ("id", emailId));

    /// <summary>Who must not be mailed.</summary>
    public static string Recipients(string? state) => With("recipients", ("state", state));

    public static string Recipient(string address) => With("recipient", ("address", address));

    public static string Search(string text) => With("search", ("for", text));

    public static string OverviewOf(Period period) => With(Overview, ("period", period.Key));

    public static string Bounces(Period period) => With("bounces", ("period", period.Key));

    /// <param name="sort">The column to sort by.</param>
    public static string Providers(Period period, string? sort = null) => With("providers", ("period", period.Key), ("sort", sort));

    /// <summary>Activity with some filters; those that are null are left out.</summary>
    /// <param name="sender"><c>@example.com</c> for exactly that domain.</param>
    /// <param name="day">In UTC, as days are counted.</param>
    /// <param name="until">The last of several days that begin with the first.</param>
    /// <param name="bounce"><c>hard</c> or <c>soft</c>.</param>
    /// <param name="isMachine">For opens and clicks.</param>
    public static string Activity(
        string? eventName = null,
        string? sender = null,
        string? domain = null,
        string? provider = null,
        string? bounceClass = null,
        string? text = null,
        DateOnly? day = null,
        DateOnly? until = null,
        string? bounce = null,
        bool? isMachine = null) => With(
            "activity",
            ("event", eventName),
            ("sender", sender),
            ("domain", domain),
            ("provider", provider),
            ("class", bounceClass),
            ("text", text),
            ("day", TextOf(day)),
            ("until", TextOf(until ?? day)),
            ("bounce", bounce),
            ("machine", isMachine switch { true => "yes", false => "no", null => null }));

    public static string DeadLetter(string? reason, string? id) => With(DeadLetters, ("reason", reason), ("id", id));

    private static string? TextOf(DateOnly? day) => day is { } d ? Asking.DayRange.ToText(d) : null;

    private static string With(string page, params (string Name, string? Value)[] query)
    {
        var present = query.Where(it => !string.IsNullOrEmpty(it.Value)).Select(it => $"{it.Name}={Uri.EscapeDataString(it.Value!)}");
        return string.Join('?', ((string[])[page, string.Join('&', present)]).Where((text, i) => i == 0 || text.Length > 0));
    }
}
