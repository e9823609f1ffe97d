using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>The events of one kind on one day, or on several. Test events are counted apart and nowhere else.</summary>
internal sealed class DayCount
{
    /// <summary>The columns of <c>Smtp2GoEventsByDay</c> that are counted.</summary>
    public static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "bounce", "from_address", "from", "sender", ColumnNames.IsTest, ColumnNames.MailboxProvider,
        ColumnNames.BounceClass, ColumnNames.LikelyMachine, ColumnNames.DeliverySeconds,
    ];

    // Where the hour stands in a row key: 2026-03-24T08:23:19.000Z_…
    private static readonly Range Hour = 11..13;

    private readonly GroupCount all = new(DeliveryTimes.BitsOfAll);
    private readonly long[] hours = new long[24];

    public long Count => all.Count;

    public long HardBounces => all.HardBounces;

    public long LikelyMachine => all.LikelyMachine;

    public DeliveryTimes Times => all.Times;

    public long Tests { get; private set; }

    public IReadOnlyList<long> Hours => hours;

    public Breakdown Providers { get; private init; } = new();

    public Breakdown BounceClasses { get; private init; } = new();

    public Breakdown SenderDomains { get; private init; } = new();

    /// <summary>Counts one row of <c>Smtp2GoEventsByDay</c>.</summary>
    public void Add(TableEntity row)
    {
        if (row.TryGetValue(ColumnNames.IsTest, out var test) && test is true)
        {
            Tests++;
            return;
        }

        var isHard = row.PartitionKey.EndsWith("_bounce", StringComparison.Ordinal)
            && "hard".Equals(TextIn(row, "bounce"), StringComparison.OrdinalIgnoreCase);
        var isMachine = row.TryGetValue(ColumnNames.LikelyMachine, out var machine) && machine is true;
        var seconds = row.TryGetValue(ColumnNames.DeliverySeconds, out var value) ? value as double? : null;
        foreach (var group in GroupsOf(row))
        {
            group.Add(isHard, isMachine, seconds);
        }

        if (int.TryParse(row.RowKey.AsSpan()[Hour], NumberStyles.None, CultureInfo.InvariantCulture, out var hour))
        {
            hours[hour]++;
        }
    }

    /// <summary>Keeps the largest names of a day: <see cref="Breakdown.KeepLargest"/>.</summary>
    /// <param name="day">The counts of all events of one day.</param>
    public static void KeepLargest(IReadOnlyCollection<DayCount> day)
    {
        Breakdown.KeepLargest([.. day.Select(count => count.Providers)]);
        Breakdown.KeepLargest([.. day.Select(count => count.BounceClasses)]);
        Breakdown.KeepLargest([.. day.Select(count => count.SenderDomains)]);
    }

    /// <summary>Adds the counts of another day.</summary>
    public void Add(DayCount other)
    {
        all.Add(other.all);
        Tests += other.Tests;
        for (var hour = 0; hour < hours.Length; hour++)
        {
            hours[hour] += other.hours[hour];
        }

        Providers.Add(other.Providers);
        BounceClasses.Add(other.BounceClasses);
        SenderDomains.Add(other.SenderDomains);
    }

    /// <summary>The row of <see cref="DaysTable"/>.</summary>
    /// <param name="key">The partition of <c>Smtp2GoEventsByDay</c> that was counted.</param>
    public TableEntity ToRow(string key)
    {
        var row = new TableEntity(DaysTable.PartitionKey(key), key)
        {
            ["Count"] = Count,
            ["Tests"] = Tests,
            ["HardBounces"] = HardBounces,
            ["LikelyMachine"] = LikelyMachine,
            ["MedianDeliverySeconds"] = Times.Within(0.5),
            ["P95DeliverySeconds"] = Times.Within(0.95),
            ["DeliverySeconds"] = Times.ToJson(),
            ["Providers"] = Providers.ToJson(),
            ["BounceClasses"] = BounceClasses.ToJson(),
            ["SenderDomains"] = SenderDomains.ToJson(),
        };
        for (var hour = 0; hour < hours.Length; hour++)
        {
            row[HourColumn(hour)] = hours[hour];
        }

        return row;
    }

    /// <summary>Reads a row of <see cref="DaysTable"/>.</summary>
    public static DayCount Of(TableEntity row)
    {
        var day = new DayCount
        {
            Tests = row.GetInt64("Tests") ?? 0,
            Providers = Breakdown.Of(row.GetString("Providers")),
            BounceClasses = Breakdown.Of(row.GetString("BounceClasses")),
            SenderDomains = Breakdown.Of(row.GetString("SenderDomains")),
        };
        day.all.Add(
            row.GetInt64("Count") ?? 0,
            row.GetInt64("HardBounces") ?? 0,
            row.GetInt64("LikelyMachine") ?? 0,
            row.GetString("DeliverySeconds"));
        for (var hour = 0; hour < day.hours.Length; hour++)
        {
            day.hours[hour] = row.GetInt64(HourColumn(hour)) ?? 0;
        }

        return day;
    }

    private IEnumerable<GroupCount> GroupsOf(TableEntity row)
    {
        yield return all;
        if (TextIn(row, ColumnNames.MailboxProvider) is { } provider)
        {
            yield return Providers[provider];
        }

        if (TextIn(row, ColumnNames.BounceClass) is { } bounceClass)
        {
            yield return BounceClasses[bounceClass];
        }

        var sender = TextIn(row, "from_address") ?? TextIn(row, "from") ?? TextIn(row, "sender") ?? string.Empty;
        if (RecipientDomain.Of(RecipientAddresses.Unwrap(sender)) is { } domain)
        {
            yield return SenderDomains[domain];
        }
    }

    private static string HourColumn(int hour) => string.Create(CultureInfo.InvariantCulture, $"Hour{hour:00}");

    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text && !FieldTypes.IsMissing(text) ? text : null;
}
