using System.Text.Json;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Counts by name, such as by provider.</summary>
internal sealed class Breakdown
{
    /// <summary>Not a domain, a provider or a class: all the names that are not kept.</summary>
    public const string Others = "(others)";

    /// <summary>The most names that are kept of a day.</summary>
    public const int MaxKept = 30;

    // Names that differ in every email must not fill the memory.
    private const int MaxNames = 10_000;

    private readonly Dictionary<string, GroupCount> groups = new(StringComparer.Ordinal);

    /// <summary>The largest first.</summary>
    public IEnumerable<KeyValuePair<string, GroupCount>> Largest => groups
        .OrderBy(group => group.Key == Others)
        .ThenByDescending(group => group.Value.Count)
        .ThenBy(group => group.Key, StringComparer.Ordinal);

    public GroupCount this[string name]
    {
        get
        {
            var key = groups.Count < MaxNames || groups.ContainsKey(name) ? name : Others;
            if (!groups.TryGetValue(key, out var group))
            {
                groups.Add(key, group = new GroupCount());
            }

            return group;
        }
    }

    /// <summary>A group; zeros if there is none.</summary>
    public GroupCount Find(string name) => groups.GetValueOrDefault(name) ?? new GroupCount();

    public void Add(Breakdown other)
    {
        foreach (var (name, group) in other.groups)
        {
            this[name].Add(group);
        }
    }

    /// <summary>
    /// Keeps the names that are the largest in all of these together, and adds up the rest. So a name is kept for every event of a day or
    /// for none, and a rate never compares what is known with what is not.
    /// </summary>
    public static void KeepLargest(IReadOnlyCollection<Breakdown> breakdowns)
    {
        var all = new Breakdown();
        foreach (var breakdown in breakdowns)
        {
            all.Add(breakdown);
        }

        HashSet<string> kept = [.. all.Largest.Take(MaxKept).Select(group => group.Key)];
        foreach (var breakdown in breakdowns)
        {
            foreach (var (name, group) in breakdown.groups.Where(group => !kept.Contains(group.Key)).ToList())
            {
                breakdown.groups.Remove(name);
                breakdown[Others].Add(group);
            }
        }
    }

    /// <summary>One JSON object with a member for each group; null if there are none.</summary>
    public string? ToJson()
    {
        if (groups.Count == 0)
        {
            return null;
        }

        var json = JsonOf(withTimes: true);

        // Deliveries that took every possible time to thirty domains: their counts matter more.
        return json.Length <= TableLimits.MaxTextLength ? json : JsonOf(withTimes: false);

        string JsonOf(bool withTimes) => $"{{{string.Join(',', Largest.Select(group => MemberOf(group.Key, group.Value, withTimes)))}}}";
    }

    public static Breakdown Of(string? json)
    {
        var breakdown = new Breakdown();
        using var document = json is null ? null : JsonDocument.Parse(json);
        foreach (var member in document?.RootElement.EnumerateObject() ?? default)
        {
            breakdown[member.Name].Read(member.Value);
        }

        return breakdown;
    }

    private static string MemberOf(string name, GroupCount group, bool withTimes) =>
        $"\"{JsonEncodedText.Encode(name)}\":{group.ToJson(withTimes)}";
}
