using Azure.Data.Tables;
using CsCheck;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tests.Maintaining;

/// <summary>Counts can be written down, read again and added up.</summary>
public sealed class DayCountTests
{
    [Fact]
    public void A_percentile_is_exact_below_32_seconds_and_within_3_percent_above() => Gen.Double[0, 864_000].Array[1, 50].Sample(seconds =>
    {
        var times = new DeliveryTimes();
        foreach (var time in seconds)
        {
            times.Add(time);
        }

        foreach (var part in new[] { 0.5, 0.95, 1 })
        {
            var exact = Math.Floor(seconds.Order().ElementAt((int)Math.Ceiling(seconds.Length * part) - 1));
            var shown = times.Within(part)!.Value;
            if (exact < 32)
            {
                Assert.Equal(exact, shown);
            }

            Assert.InRange(Math.Abs(shown - exact), 0, exact / 32);
        }
    });

    [Fact]
    public void Without_deliveries_there_is_no_median() => Assert.Null(new DeliveryTimes().Within(0.5));

    [Fact]
    public void Counts_of_parts_of_a_day_written_down_and_added_up_equal_the_count_of_the_day() =>
        Rows.Array[0, 60].Select(Gen.Int[0, 60]).Sample((rows, cut) =>
        {
            var whole = Of(rows);
            var sum = DayCount.Of(Of(rows.Take(cut)).ToRow("2026-03-24_delivered"));
            sum.Add(DayCount.Of(Of(rows.Skip(cut)).ToRow("2026-03-24_delivered")));

            Assert.Equal(Describe(whole), Describe(sum));
        });

    [Fact]
    public void Names_beyond_the_largest_are_counted_together_and_a_column_never_overflows()
    {
        var count = new DayCount();
        for (var i = 0; i < 11_000; i++)
        {
            count.Add(Row(sender: $"shop@{new string('x', 50)}{i}.example", seconds: i));
            count.Add(Row(sender: "shop@large.example", seconds: 1));
        }

        DayCount.KeepLargest([count]);
        var row = count.ToRow("2026-03-24_delivered");
        var domains = Breakdown.Of(row.GetString("SenderDomains"));

        Assert.All(row.Select(column => column.Value).OfType<string>(), text => Assert.InRange(text.Length, 0, 30_000));
        Assert.Equal(11_000, domains.Find("large.example").Count);
        Assert.Equal(22_000, domains.Largest.Sum(group => group.Value.Count));
        Assert.InRange(domains.Find(Breakdown.Others).Count, 10_000, 11_000);
    }

    /// <summary>Otherwise a domain that is large for deliveries and small for bounces would seem never to bounce.</summary>
    [Fact]
    public void A_name_is_kept_for_every_event_of_a_day_or_for_none()
    {
        DayCount delivered = new(), bounced = new();
        for (var i = 0; i < 100; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                delivered.Add(Row(sender: $"shop@d{i}.example"));
                bounced.Add(Row(sender: $"shop@d{99 - i}.example"));
            }
        }

        // Alike so far: this one is the largest.
        delivered.Add(Row(sender: "shop@d50.example"));
        DayCount.KeepLargest([delivered, bounced]);

        var names = delivered.SenderDomains.Largest.Select(group => group.Key).ToList();
        Assert.Equal(Breakdown.MaxKept + 1, names.Count);
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            bounced.SenderDomains.Largest.Select(group => group.Key).Order(StringComparer.Ordinal));
        Assert.Contains("d50.example", names);
        Assert.Equal(5_051, delivered.SenderDomains.Largest.Sum(group => group.Value.Count));
    }

    [Fact]
    public void A_test_event_counts_as_a_test_and_nowhere_else()
    {
        var count = Of([Row(isTest: true, sender: "a@b.example", seconds: 5)]);

        Assert.Equal((0, 1, 0), (count.Count, count.Tests, count.Times.Count));
        Assert.Empty(count.SenderDomains.Largest);
        Assert.All(count.Hours, hour => Assert.Equal(0, hour));
    }

    private static Gen<TableEntity> Rows => Gen.Select(
        Gen.Int[0, 23],
        Pick("gmail", "yahoo", null),
        Pick("invalid-recipient", "other", null),
        Pick("a@one.example", "B <b@TWO.example>", "Unavailable", "none", null),
        Gen.Bool,
        Gen.Double[0, 5_000].Nullable(),
        (hour, provider, bounceClass, sender, flag, seconds) => Row(hour, provider, bounceClass, sender, flag, flag, seconds));

    private static Gen<string?> Pick(params string?[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static TableEntity Row(
        int hour = 0,
        string? provider = null,
        string? bounceClass = null,
        string? sender = null,
        bool isTest = false,
        bool isMachine = false,
        double? seconds = null)
    {
        var row = new TableEntity("2026-03-24_bounce", $"2026-03-24T{hour:00}:00:00.000Z_1w4x2g_0")
        {
            ["bounce"] = isMachine ? "hard" : "soft",
            ["IsTest"] = isTest && hour % 5 == 0,
            ["LikelyMachine"] = isMachine,
        };
        foreach (var (name, value) in new (string, object?)[]
            {
                ("MailboxProvider", provider), ("BounceClass", bounceClass), ("from", sender), ("DeliverySeconds", seconds),
            })
        {
            if (value is not null)
            {
                row[name] = value;
            }
        }

        return row;
    }

    private static DayCount Of(IEnumerable<TableEntity> rows)
    {
        var count = new DayCount();
        foreach (var row in rows)
        {
            count.Add(row);
        }

        return count;
    }

    private static string Describe(DayCount count) => string.Join('\n', count.ToRow("2026-03-24_delivered").Select(column => $"{column}"));
}
