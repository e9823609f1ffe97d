using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The counts of one day or of all, by event. Test events are counted separately and nowhere else.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, DayCount> byEvent = new(StringComparer.Ordinal);

    /// <summary>By event, without those that have only test events.</summary>
    public IReadOnlyDictionary<string, long> Counts =>
        byEvent.Where(e => e.Value.Count > 0).ToDictionary(e => e.Key, e => e.Value.Count, StringComparer.Ordinal);

    /// <summary>By event, for each hour of the day in UTC.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> ByHour =>
        byEvent.Where(e => e.Value.Count > 0).ToDictionary(e => e.Key, e => e.Value.Hours, StringComparer.Ordinal);

    public long Events => byEvent.Values.Sum(count => count.Count);

    public long Tests => byEvent.Values.Sum(count => count.Tests);

    public long HardBounces => Of("bounce").HardBounces;

    public long SoftBounces => Of("bounce").Count - HardBounces;

    /// <summary>Delivered / (delivered + hard bounces); null where that would divide by zero.</summary>
    public double? DeliveryRate => Rate(Of("delivered").Count, Of("delivered").Count + HardBounces);

    /// <summary>The rest: hard bounces / (delivered + hard bounces).</summary>
    public double? HardBounceRate => Rate(HardBounces, Of("delivered").Count + HardBounces);

    /// <summary>Spam complaints / delivered; null where that would divide by zero.</summary>
    public double? ComplaintRate => Rate(Of("spam").Count, Of("delivered").Count);

    /// <summary>How long deliveries took.</summary>
    public DeliveryTimes Times => Of("delivered").Times;

    /// <summary>By who runs the recipients' mailboxes, the busiest first.</summary>
    public IReadOnlyList<Share> Providers => SharesOf(count => count.Providers);

    /// <summary>By the domain of the sender, the busiest first.</summary>
    public IReadOnlyList<Share> SenderDomains => SharesOf(count => count.SenderDomains);

    /// <summary>By class of bounce or reject, the largest first.</summary>
    public IReadOnlyList<ClassShare> BounceClasses => [.. NamesIn(["bounce", "reject"], count => count.BounceClasses)
        .Select(name => (Name: name, Bounced: Of("bounce").BounceClasses.Find(name), Rejected: Of("reject").BounceClasses.Find(name)))
        .Select(of => new ClassShare(of.Name, of.Bounced.HardBounces, of.Bounced.Count - of.Bounced.HardBounces, of.Rejected.Count))
        .OrderByDescending(share => share.Hard + share.Soft + share.Rejected)
        .ThenBy(share => share.Name, StringComparer.Ordinal)];

    public DayCount this[string name]
    {
        get
        {
            if (!byEvent.TryGetValue(name, out var count))
            {
                byEvent.Add(name, count = new DayCount());
            }

            return count;
        }
    }

    /// <summary>The counts of one event; zeros if there is none.</summary>
    public DayCount Of(string name) => byEvent.GetValueOrDefault(name) ?? new DayCount();

    public void Add(Tally other)
    {
        foreach (var (name, count) in other.byEvent)
        {
            this[name].Add(count);
        }
    }

    private List<Share> SharesOf(Func<DayCount, Breakdown> breakdown) =>
    [
        .. NamesIn(["processed", "delivered", "bounce", "reject", "spam", "open", "click"], breakdown)
            .Select(name => Share.Of(name, e => breakdown(Of(e)).Find(name)))
            .OrderBy(share => share.Name == Breakdown.Others)
            .ThenByDescending(share => share.Delivered + share.HardBounces + share.SoftBounces)
            .ThenBy(share => share.Name, StringComparer.Ordinal),
    ];

    private IEnumerable<string> NamesIn(string[] events, Func<DayCount, Breakdown> breakdown) =>
        events.SelectMany(e => breakdown(Of(e)).Largest).Select(group => group.Key).Distinct();

    internal static double? Rate(long part, long whole) => whole == 0 ? null : (double)part / whole;
}

/// <summary>The part of one provider or of one sender's domain.</summary>
internal sealed record Share(
    string Name,
    long Delivered,
    long HardBounces,
    long SoftBounces,
    long Rejected,
    long Complaints,
    GroupCount Opens,
    GroupCount Clicks,
    DeliveryTimes Times)
{
    public double? DeliveryRate => Tally.Rate(Delivered, Delivered + HardBounces);

    public double? HardBounceRate => Tally.Rate(HardBounces, Delivered + HardBounces);

    public double? ComplaintRate => Tally.Rate(Complaints, Delivered);

    public static Share Of(string name, Func<string, GroupCount> groupOf)
    {
        var (delivered, bounced) = (groupOf("delivered"), groupOf("bounce"));
        return new Share(
            name,
            delivered.Count,
            bounced.HardBounces,
            bounced.Count - bounced.HardBounces,
            groupOf("reject").Count,
            groupOf("spam").Count,
            groupOf("open"),
            groupOf("click"),
            delivered.Times);
    }
}

/// <summary>The part of one class of bounces and rejects.</summary>
internal sealed record ClassShare(string Name, long Hard, long Soft, long Rejected);
