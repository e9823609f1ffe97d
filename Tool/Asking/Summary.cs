using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Events counted by day; a day without events is left out.</summary>
internal sealed record Summary(SortedDictionary<string, Tally> ByDay, Tally Total)
{
    /// <summary>Counts the events of a range of days, both ends included, written as <c>2026-05-01</c>.</summary>
    public static async Task<Summary> CountAsync(
        TableServiceClient service, string from, string to, IProgress<long> progress, CancellationToken cancellationToken)
    {
        var summary = new Summary(new(StringComparer.Ordinal), new Tally());
        var read = 0L;
        string[] columns = ["PartitionKey", ColumnNames.IsTest, "bounce"];
        await foreach (var row in service.RowsAsync(EventIndex.ByDayTable, EventQueries.OfDays(from, to), columns, cancellationToken))
        {
            // <day>_<event>, with =XX for a byte that no key may hold.
            var (day, key) = (row.PartitionKey[..from.Length], row.PartitionKey[(from.Length + 1)..]);
            var name = key.Contains('=', StringComparison.Ordinal) ? Uri.UnescapeDataString(key.Replace('=', '%')) : key;
            if (!summary.ByDay.TryGetValue(day, out var tally))
            {
                summary.ByDay.Add(day, tally = new Tally());
            }

            var isTest = row.TryGetValue(ColumnNames.IsTest, out var test) && test is true;
            var isHard = name == "bounce" && row.TryGetValue("bounce", out var bounce)
                && bounce is string kind && kind.Equals("hard", StringComparison.OrdinalIgnoreCase);
            tally.Add(name, isTest, isHard);
            summary.Total.Add(name, isTest, isHard);
            progress.Report(++read);
        }

        return summary;
    }
}

/// <summary>The counts of one day or of all. Test events are counted separately and nowhere else.</summary>
internal sealed class Tally
{
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    public int Events { get; private set; }

    public int HardBounces { get; private set; }

    public int Tests { get; private set; }

    /// <summary>Delivered / (delivered + hard bounces); null where that would divide by zero.</summary>
    public double? DeliveryRate => Rate(Delivered, Delivered + HardBounces);

    /// <summary>Spam complaints / delivered; null where that would divide by zero.</summary>
    public double? ComplaintRate => Rate(Counts.GetValueOrDefault("spam"), Delivered);

    private int Delivered => Counts.GetValueOrDefault("delivered");

    public void Add(string name, bool isTest, bool isHardBounce)
    {
        if (isTest)
        {
            Tests++;
            return;
        }

        Events++;
        Counts[name] = Counts.GetValueOrDefault(name) + 1;
        HardBounces += isHardBounce ? 1 : 0;
    }

    private static double? Rate(int part, int whole) => whole == 0 ? null : (double)part / whole;
}
