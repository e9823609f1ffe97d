using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>What the URL of Activity asks for.</summary>
/// <param name="Problem">What cannot be read, in words; null if all can.</param>
/// <param name="Wrong">The names of those parameters.</param>
internal sealed record ActivityQuery(EventFilter Filter, string? Problem, IReadOnlyList<string> Wrong)
{
    /// <param name="values">By the names of the parameters. None is empty.</param>
    public static ActivityQuery Of(IReadOnlyDictionary<string, string> values, DateOnly today)
    {
        List<(string Name, string Problem)> problems = [];
        var (first, last) = (DayOf("day"), DayOf("until"));
        if (first > last)
        {
            var text = $"{DayRange.ToText(first.Value)} is after {DayRange.ToText(last.Value)}: choose a From day before the To day.";
            problems.AddRange([("day", text), ("until", text)]);
        }

        var filter = new EventFilter(
            Given("event"),
            Given("sender"),
            Given("domain"),
            Given("provider"),
            Given("class"),
            Given("text"),
            (first ?? last) is null || first > last ? null : DayRange.Between(first, last),
            OneOf("bounce", EventFilter.Hard, EventFilter.Soft),
            OneOf("machine", "yes", "no") is { } machine ? machine == "yes" : null);
        return new ActivityQuery(
            filter,
            problems.Count == 0 ? null : string.Join(' ', problems.Select(it => it.Problem).Distinct()),
            [.. problems.Select(it => it.Name)]);

        string? Given(string name) => values.GetValueOrDefault(name)?.Trim() is { Length: > 0 } given ? given : null;

        DateOnly? DayOf(string name)
        {
            var day = Given(name) is { } text ? DayRange.ParseDay(text, today) : null;
            if (day is null && Given(name) is { } unread)
            {
                problems.Add((name, $"'{PlainText.Cut(unread, 60)}' is not a day: write it like {DayRange.ToText(today)}."));
            }

            return day;
        }

        string? OneOf(string name, string one, string other)
        {
            var value = Given(name)?.ToLowerInvariant();
            if (value is not null && value != one && value != other)
            {
                problems.Add((name, $"'{PlainText.Cut(value, 60)}' is neither {one} nor {other}."));
                return null;
            }

            return value;
        }
    }
}
