using System.Globalization;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests;

/// <summary>Counts the rows by day in its own way, and compares <c>Smtp2GoDays</c> with that.</summary>
internal static class CountedDays
{
    // The middle of a range is shown. A range of all deliveries is a sixteenth of its power of two wide, one of a group an eighth.
    private const double Tolerance = 1 / 16.0;

    /// <summary>Every event with a time is counted, today's up to the time in the day's own row, and nothing else is.</summary>
    public static async Task AssertAgreeAsync(string account)
    {
        var days = (await IndexTests.RowsAsync(account, "Smtp2GoDays")).Where(row => row.PartitionKey[0] is '1' or '2').ToList();
        var until = days
            .Where(row => row.RowKey.Length == 10)
            .ToDictionary(row => row.RowKey, row => row.GetDateTimeOffset("CountedUntil")!.Value);
        var counted = days.Where(row => row.RowKey.Length > 10).ToDictionary(row => row.RowKey);
        var rows = (await IndexTests.RowsAsync(account, "Smtp2GoEventsByDay"))
            .Where(row => row.PartitionKey[0] is '1' or '2')
            .Where(row => !until.TryGetValue(row.RowKey[..10], out var end) || row.GetDateTimeOffset("time") < end)
            .ToLookup(row => row.PartitionKey);

        Assert.Equal(rows.Select(day => day.Key).Order(StringComparer.Ordinal), counted.Keys.Order(StringComparer.Ordinal));
        foreach (var day in rows)
        {
            AssertCounted([.. day], counted[day.Key]);
        }
    }

    private static void AssertCounted(List<TableEntity> all, TableEntity counted)
    {
        var real = all.Where(row => row.GetBoolean("IsTest") is not true).ToList();
        Assert.Equal(counted.RowKey[..7], counted.PartitionKey);
        Assert.Equal(
            (real.Count, all.Count - real.Count, real.Count(IsHard), real.Count(IsMachine)),
            (counted.GetInt64("Count"), counted.GetInt64("Tests"), counted.GetInt64("HardBounces"), counted.GetInt64("LikelyMachine")));
        for (var hour = 0; hour < 24; hour++)
        {
            var expected = real.Count(row => row.RowKey[11..13] == hour.ToString("00", CultureInfo.InvariantCulture));
            Assert.Equal(expected, counted.GetInt64($"Hour{hour:00}"));
        }

        AssertTimes(real, counted.GetDouble("MedianDeliverySeconds"), counted.GetDouble("P95DeliverySeconds"));
        AssertGroups(real, row => row.GetString("MailboxProvider"), counted.GetString("Providers"));
        AssertGroups(real, row => row.GetString("BounceClass"), counted.GetString("BounceClasses"));
        AssertGroups(real, SenderDomainOf, counted.GetString("SenderDomains"));
    }

    private static void AssertGroups(List<TableEntity> rows, Func<TableEntity, string?> nameOf, string? json)
    {
        var expected = rows.Where(row => nameOf(row) is not null).ToLookup(row => nameOf(row)!);
        var groups = json is null ? [] : JsonNode.Parse(json)!.AsObject();

        Assert.Equal(
            expected.Select(group => group.Key).Order(StringComparer.Ordinal),
            groups.Select(group => group.Key).Order(StringComparer.Ordinal));
        foreach (var group in expected)
        {
            var counted = groups[group.Key]!;
            Assert.Equal(
                (group.Count(), group.Count(IsHard), group.Count(IsMachine)),
                ((int)counted["count"]!, (int?)counted["hard"] ?? 0, (int?)counted["machine"] ?? 0));
            AssertTimes([.. group], (double?)counted["median"], (double?)counted["p95"]);
        }
    }

    private static void AssertTimes(List<TableEntity> rows, double? median, double? p95)
    {
        List<double> times = [.. rows.Select(row => row.GetDouble("DeliverySeconds")).OfType<double>().Order()];
        if (times.Count == 0)
        {
            Assert.Null(median);
            Assert.Null(p95);
            return;
        }

        AssertNear(times[(int)Math.Ceiling(times.Count * 0.5) - 1], median!.Value);
        AssertNear(times[(int)Math.Ceiling(times.Count * 0.95) - 1], p95!.Value);

        static void AssertNear(double exact, double counted) =>
            Assert.InRange(counted, (Math.Floor(exact) * (1 - Tolerance)) - 0.001, (Math.Floor(exact) * (1 + Tolerance)) + 0.001);
    }

    private static bool IsHard(TableEntity row) =>
        row.GetString("event") == "bounce" && string.Equals(row.GetString("bounce"), "hard", StringComparison.OrdinalIgnoreCase);

    private static bool IsMachine(TableEntity row) => row.GetBoolean("LikelyMachine") is true;

    private static string? SenderDomainOf(TableEntity row) =>
        (row.GetString("from_address") ?? row.GetString("from") ?? row.GetString("sender"))?.Split('@')[^1].TrimEnd('>').ToLowerInvariant();
}
