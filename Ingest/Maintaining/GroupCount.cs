using System.Text;
using System.Text.Json;
using static System.FormattableString;

namespace Smtp2GoIngest.Maintaining;

/// <summary>The events of one group.</summary>
/// <param name="timeBits">How exact the delivery times are: <see cref="DeliveryTimes"/>.</param>
internal sealed class GroupCount(int timeBits = DeliveryTimes.BitsOfGroup)
{
    public long Count { get; private set; }

    public long HardBounces { get; private set; }

    public long LikelyMachine { get; private set; }

    public DeliveryTimes Times { get; } = new(timeBits);

    public void Add(bool isHardBounce, bool isLikelyMachine, double? deliverySeconds)
    {
        Count++;
        HardBounces += isHardBounce ? 1 : 0;
        LikelyMachine += isLikelyMachine ? 1 : 0;
        if (deliverySeconds is { } seconds)
        {
            Times.Add(seconds);
        }
    }

    public void Add(GroupCount other)
    {
        Add(other.Count, other.HardBounces, other.LikelyMachine, times: null);
        Times.Add(other.Times);
    }

    /// <summary>Adds counts as a row holds them.</summary>
    /// <param name="times">What <see cref="DeliveryTimes.ToJson"/> wrote.</param>
    public void Add(long count, long hardBounces, long likelyMachine, string? times)
    {
        (Count, HardBounces, LikelyMachine) = (Count + count, HardBounces + hardBounces, LikelyMachine + likelyMachine);
        if (times is not null)
        {
            using var json = JsonDocument.Parse(times);
            Times.Read(json.RootElement);
        }
    }

    /// <summary><c>{"count":7,"hard":2,"machine":1,"median":3,"p95":9,"seconds":{"3":7}}</c>, without what is zero.</summary>
    public string ToJson(bool withTimes = true)
    {
        var json = new StringBuilder(Invariant($"{{\"count\":{Count}"));
        _ = HardBounces > 0 ? json.Append(Invariant($",\"hard\":{HardBounces}")) : json;
        _ = LikelyMachine > 0 ? json.Append(Invariant($",\"machine\":{LikelyMachine}")) : json;
        _ = withTimes && Times.ToJson() is { } seconds
            ? json.Append(Invariant($",\"median\":{Times.Within(0.5)},\"p95\":{Times.Within(0.95)},\"seconds\":")).Append(seconds)
            : json;
        return json.Append('}').ToString();
    }

    public void Read(JsonElement json)
    {
        Add(NumberIn("count"), NumberIn("hard"), NumberIn("machine"), times: null);
        if (json.TryGetProperty("seconds", out var seconds))
        {
            Times.Read(seconds);
        }

        long NumberIn(string name) => json.TryGetProperty(name, out var number) ? number.GetInt64() : 0;
    }
}
