using System.Globalization;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The days that are to be reconciled, and as much of them as can be by now.</summary>
/// <param name="Now">Also what SMTP2GO may still deliver by itself.</param>
internal sealed record ReconcileSpan(DayRange Days, bool Now, ReconcileWindow Window)
{
    private const string TimeFormat = "yyyy-MM-dd HH:mm";
    private const string Later = "SMTP2GO may still send it: --now includes it.";

    /// <param name="days">In UTC; null for the newest one that is settled, or for today with <paramref name="now"/>.</param>
    public static ReconcileSpan Of(DayRange? days, bool now, TimeProvider time)
    {
        var settled = time.GetUtcNow() - ReconcileWindow.Settled;
        var newest = now ? time.GetUtcNow() : settled.AddDays(-1);
        var range = days ?? DayRange.LastDays(1, DateOnly.FromDateTime(newest.UtcDateTime));
        var span = TimeWindow.Of(range, TimeZoneInfo.Utc);
        return new ReconcileSpan(range, now, ReconcileWindow.Of(span.From, span.Until, now, time));
    }

    /// <summary>What is not compared, and why; null if that is nothing.</summary>
    public string? LeftOut => Window.Until >= TimeWindow.Of(Days, TimeZoneInfo.Utc).Until ? null
        : Window.IsEmpty ? $"No part of {Days} is older than {(Now ? "ten minutes." : $"100 hours. {Later}")}"
        : Now ? $"Left out: everything since {ToText(Window.Until)}. SMTP2GO may not list it yet."
        : $"Left out: everything since {ToText(Window.Until)}. {Later}";

    /// <summary>In UTC, whatever the user's time zone is: so are the days.</summary>
    public static string ToText(DateTimeOffset time) => $"{Plain(time)} (UTC)";

    public static string ToText(DateTimeOffset from, DateTimeOffset until) => $"{Plain(from)} to {Plain(until)} (UTC)";

    private static string Plain(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
