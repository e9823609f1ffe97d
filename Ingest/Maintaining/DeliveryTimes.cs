using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Smtp2GoIngest.Maintaining;

/// <summary>
/// How long deliveries took, counted in ranges, so that those of many days can be added up and still give a median. With four bits, whole
/// seconds below 32; above, a range is a sixteenth of its power of two, so its middle is off by 1 in 32 at most. Each bit less doubles
/// that.
/// </summary>
internal sealed class DeliveryTimes(int bits = DeliveryTimes.BitsOfAll)
{
    public const int BitsOfAll = 4;

    /// <summary>Whole seconds below 16, and off by 1 in 16 above: there are many groups in a row.</summary>
    public const int BitsOfGroup = 3;

    // No delivery takes longer than ten days.
    private const double Longest = 864_000;

    // The lower bound of each range, in seconds.
    private readonly SortedDictionary<long, long> counts = [];

    public long Count { get; private set; }

    public void Add(double seconds) => Add(RangeOf(Math.Min(seconds, Longest)), 1);

    public void Add(DeliveryTimes other)
    {
        foreach (var (range, count) in other.counts)
        {
            Add(RangeOf(range), count);
        }
    }

    /// <summary>The time within which this part of them was delivered, in seconds; null if there are none.</summary>
    /// <param name="part">0.5 for the median.</param>
    public double? Within(double part)
    {
        var left = (long)Math.Ceiling(Count * part);
        foreach (var (range, count) in counts)
        {
            left -= count;
            if (left <= 0)
            {
                return range + ((WidthOf(range) - 1) / 2.0);
            }
        }

        return null;
    }

    /// <summary>The ranges that are not empty: <c>{"2":140,"64":3}</c>; null if all are.</summary>
    public string? ToJson() => Count == 0 ? null
        : $"{{{string.Join(',', counts.Select(range => string.Create(CultureInfo.InvariantCulture, $"\"{range.Key}\":{range.Value}")))}}}";

    public void Read(JsonElement json)
    {
        foreach (var range in json.EnumerateObject())
        {
            Add(RangeOf(double.Parse(range.Name, CultureInfo.InvariantCulture)), range.Value.GetInt64());
        }
    }

    private void Add(long range, long count)
    {
        counts[range] = counts.GetValueOrDefault(range) + count;
        Count += count;
    }

    private long RangeOf(double seconds) => (long)Math.Max(0, seconds) is var whole ? whole / WidthOf(whole) * WidthOf(whole) : 0;

    private long WidthOf(long seconds) => 1L << Math.Max(0, BitOperations.Log2((ulong)seconds | 1) - bits);
}
