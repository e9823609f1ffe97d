using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Bounces counted by reason, by the recipient's domain and by sender. Test events are left out.</summary>
internal sealed partial class BounceReport
{
    public const string NoReason = "no reason given";

    // Each day is a request of its own.
    private const int MostDays = 40;

    public BounceGroups ByReason { get; } = new();

    public BounceGroups ByDomain { get; } = new();

    public BounceGroups BySender { get; } = new();

    public int Hard { get; private set; }

    public int Soft { get; private set; }

    /// <summary>It has all bounces since then; null if it has every one.</summary>
    public DateTimeOffset? Since { get; private set; }

    public static async Task<BounceReport> CountAsync(
        TableServiceClient service, TimeWindow window, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var report = new BounceReport();
        var read = 0L;
        await foreach (var e in ReadAsync(service, window, cancellationToken))
        {
            report.Add(e);
            progress.Report(++read);
        }

        return report;
    }

    /// <summary>Only the latest bounces.</summary>
    /// <param name="summary">Says in which hours there are bounces.</param>
    /// <param name="most">It reads no more than that. In the hour where it stops, it has the earliest ones.</param>
    public static async Task<BounceReport> CountLatestAsync(
        TableServiceClient service, Summary summary, int most, CancellationToken cancellationToken)
    {
        var report = new BounceReport();
        foreach (var window in LatestIn(summary, most, report))
        {
            await foreach (var e in ReadAsync(service, window, cancellationToken))
            {
                report.Add(e);
                if (report.Hard + report.Soft >= most)
                {
                    break;
                }
            }
        }

        return report;
    }

    /// <summary>
    /// What a reply says before its own words: <c>550 5.1.1</c>, the reply code (RFC 5321) and the enhanced status code (RFC 3463);
    /// a reply without them is its own reason.
    /// </summary>
    public static string ReasonOf(string? reply) =>
        reply is null ? NoReason
        : Codes().Match(reply) is { Success: true } codes ? codes.Value.Replace('-', ' ')
        : reply;

    /// <summary>Whether a text is both codes of a reply and nothing else: <c>550 5.1.1</c> or <c>550-5.1.1</c>.</summary>
    public static bool IsWholeCode(string text) =>
        Codes().Match(text) is { Success: true } codes && codes.Length == text.Length && text.Contains('.', StringComparison.Ordinal);

    private static IAsyncEnumerable<StoredEvent> ReadAsync(
        TableServiceClient service, TimeWindow window, CancellationToken cancellationToken) => service
        .RowsAsync(EventIndex.ByDayTable, EventQueries.OfSpan(window, "bounce"), StoredEvent.Columns, cancellationToken)
        .Select(StoredEvent.Of);

    // The newest first. The hour in which it has enough comes last and separately, because rows are read from the earliest on.
    private static IEnumerable<TimeWindow> LatestIn(Summary summary, int most, BounceReport report)
    {
        var (found, days, since) = (0L, 0, default(DateTimeOffset?));
        foreach (var (day, tally) in summary.ByDay.Reverse().Where(day => day.Value.Of("bounce").Count > 0))
        {
            if (found >= most || days++ == MostDays)
            {
                report.Since = since;
                yield break;
            }

            var begin = TimeWindow.StartOf(DayRange.ParseDay(day, today: default)!.Value, TimeZoneInfo.Utc);
            var hours = tally.Of("bounce").Hours;
            var hour = hours.Count;
            while (hour > 0 && found + hours[hour - 1] <= most)
            {
                found += hours[--hour];
            }

            since = begin.AddHours(hour);
            if (hour < hours.Count)
            {
                yield return new TimeWindow(begin.AddHours(hour), begin.AddDays(1));
            }

            if (hour > 0)
            {
                report.Since = since;
                yield return new TimeWindow(begin.AddHours(hour - 1), begin.AddHours(hour));
                yield break;
            }
        }
    }

    private void Add(StoredEvent e)
    {
        if (e.IsTest)
        {
            return;
        }

        (Hard, Soft) = e.IsHardBounce ? (Hard + 1, Soft) : (Hard, Soft + 1);
        ByReason.Add(ReasonOf(e.Reply), e);
        var recipient = e.Recipients.Count > 0 ? e.Recipients[0] : string.Empty;
        ByDomain.Add(recipient[(recipient.LastIndexOf('@') + 1)..].ToLowerInvariant(), e);
        BySender.Add(e.Sender?.ToLowerInvariant() ?? string.Empty, e);
    }

    [GeneratedRegex(@"^[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?![\d.])", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Codes();
}

/// <summary>Counts of bounces by some text.</summary>
internal sealed class BounceGroups
{
    // Replies that differ in every email must not fill the memory.
    private const int MaxGroups = 10_000;

    private readonly Dictionary<string, BounceGroup> groups = new(StringComparer.Ordinal);

    /// <summary>The largest first.</summary>
    public IEnumerable<BounceGroup> Largest =>
        groups.Values.OrderByDescending(group => group.Hard + group.Soft).ThenBy(group => group.Name, StringComparer.Ordinal);

    /// <summary>How many bounces are in no group, because there were too many groups.</summary>
    public int Others { get; private set; }

    public void Add(string name, StoredEvent e)
    {
        if (!groups.TryGetValue(name, out var group))
        {
            if (groups.Count >= MaxGroups)
            {
                Others++;
                return;
            }

            groups.Add(name, group = new BounceGroup(name, e.Reply));
        }

        group.Add(e.IsHardBounce);
    }
}

/// <param name="Example">The reply of one of them.</param>
internal sealed record BounceGroup(string Name, string? Example)
{
    public int Hard { get; private set; }

    public int Soft { get; private set; }

    public void Add(bool isHard) => (Hard, Soft) = isHard ? (Hard + 1, Soft) : (Hard, Soft + 1);
}
