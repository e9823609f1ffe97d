namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>SMTP2GO has two sets of names for the same events.</summary>
public static class EventNames
{
    private static readonly Dictionary<string, Smtp2GoEventKind> Kinds =
        Enum.GetValues<Smtp2GoEventKind>().ToDictionary(OfActivity, StringComparer.Ordinal);

    /// <summary>The names that a webhook's list of events may have. It drops any other.</summary>
    public static IReadOnlyList<string> Webhook { get; } =
        ["delivered", "unsubscribe", "spam", "bounce", "processed", "reject", "click", "open", "resubscribe"];

    /// <summary>The name in /activity/search, such as <c>soft-bounced</c>.</summary>
    public static string OfActivity(Smtp2GoEventKind kind) => kind switch
    {
        Smtp2GoEventKind.SoftBounced => "soft-bounced",
        Smtp2GoEventKind.HardBounced => "hard-bounced",
        _ => kind.ToString().ToLowerInvariant(),
    };

    /// <summary>The kind of a name in /activity/search; null if it is none.</summary>
    public static Smtp2GoEventKind? Find(string activityName) => Kinds.TryGetValue(activityName, out var kind) ? kind : null;

    /// <summary>The name in a webhook, such as <c>bounce</c>.</summary>
    public static string OfWebhook(Smtp2GoEventKind kind) => kind switch
    {
        Smtp2GoEventKind.SoftBounced or Smtp2GoEventKind.HardBounced => "bounce",
        Smtp2GoEventKind.Rejected => "reject",
        Smtp2GoEventKind.Unsubscribed => "unsubscribe",
        Smtp2GoEventKind.Resubscribed => "resubscribe",
        Smtp2GoEventKind.Opened => "open",
        Smtp2GoEventKind.Clicked => "click",
        _ => OfActivity(kind),
    };
}
