using System.Globalization;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio.Pages;

/// <summary>The charts, and the same numbers as a table.</summary>
public sealed partial class Overview
{
    private static string TitleOf(PeriodSummary counts) => counts.Period.Key switch
    {
        "24h" => "By hour",
        "90d" => "By week",
        "13m" => "By month",
        _ => "By day",
    };

    private IEnumerable<Chart> ChartsOf(PeriodSummary counts)
    {
        var by = TitleOf(counts).ToLowerInvariant();
        yield return ChartOf("Sent and delivered", [Column("Delivered", "delivered", "delivered"), Line("Sent", "sent", "processed")]);
        yield return ChartOf("Bounces, rejects and complaints",
        [
            .. counts.IsByHour ? [Column("Bounced", "hard", "bounce")] : (Part[])
            [
                new("Hard", "hard", slot => slot.Tally!.HardBounces),
                new("Soft", "soft", slot => slot.Tally!.SoftBounces),
            ],
            Column("Rejected", "rejected", "reject"),
            Column("Complaints", "complaints", "spam"),
        ]);
        yield return ChartOf("Opens and clicks",
        [
            .. counts.IsByHour ? [Column("Opens", "people", "open")] : (Part[])
            [
                new("Opens by people", "people", PeopleIn), new("Opens by machines", "machines", MachinesIn),
            ],
            Line("Clicks", "clicks", "click"),
        ]);

        static Part Column(string name, string tone, string eventName) => new(name, tone, slot => slot.Of(eventName));

        static Part Line(string name, string tone, string eventName) => Column(name, tone, eventName) with { IsLine = true };

        Chart ChartOf(string title, Part[] parts) => new(
            $"{title} {by}",
            [.. parts.Select(part => new ChartPart(part.Name, part.Tone, part.IsLine))],
            [
                .. counts.Slots.Select(slot => new ChartColumn(
                    EventTimeOf(slot), LabelOf(counts, slot), counts.Activity(null, slot.Days), [.. parts.Select(part => part.Of(slot))])),
            ]);
    }

    private static long PeopleIn(Slot slot) => slot.Of("open") - MachinesIn(slot);

    private static long MachinesIn(Slot slot) => slot.Tally!.Of("open").LikelyMachine;

    private static IReadOnlyList<Column> ColumnsOf(PeriodSummary counts)
    {
        return
        [
            Of("Sent", "processed"),
            Of("Delivered", "delivered"),
            .. counts.IsByHour ? [Of("Bounced", "bounce")] : (Column[])
            [
                new("Delivery rate", null, slot => PlainText.Percent(slot.Tally!.DeliveryRate), slot => Verdict.ToneOf(
                    Threshold.HardBounces, slot.Tally!.HardBounceRate, slot.Of("delivered") + slot.Tally.HardBounces)),
                new("Hard", "bounce", slot => PlainText.Number(slot.Tally!.HardBounces), Bounce: EventFilter.Hard),
                new("Soft", "bounce", slot => PlainText.Number(slot.Tally!.SoftBounces), Bounce: EventFilter.Soft),
            ],
            Of("Rejected", "reject"),
            Of("Complaints", "spam"),
            .. counts.IsByHour ? [] : (Column[])
            [
                new("Complaint rate", null, slot => PlainText.Percent(slot.Tally!.ComplaintRate), slot => Verdict.ToneOf(
                    Threshold.Complaints, slot.Tally!.ComplaintRate, slot.Of("delivered"))),
            ],
            Of("Unsubscribed", "unsubscribe"),
            .. counts.IsByHour ? [Of("Opens", "open")] : (Column[])
            [
                new("Opens by people", "open", slot => PlainText.Number(PeopleIn(slot)), IsMachine: false),
                new("Opens by machines", "open", slot => PlainText.Number(MachinesIn(slot)), IsMachine: true),
            ],
            Of("Clicks", "click"),
            .. counts.IsByHour ? [] : (Column[])
            [
                new("Median time", null, slot => TimeText.OfSeconds(slot.Tally!.Times.Within(0.5))),
            ],
        ];

        static Column Of(string heading, string eventName) => new(heading, eventName, slot => PlainText.Number(slot.Of(eventName)));
    }

    private string HeadingOf(PeriodSummary counts) => counts.IsByHour ? Times.Heading.Replace("Time", "Hour", StringComparison.Ordinal)
        : counts.Period.Key switch { "13m" => "Month (UTC)", "90d" => "Week (UTC)", _ => "Day (UTC)" };

    private string NameOf(PeriodSummary counts, Slot slot)
    {
        var name = counts.Period.Key switch
        {
            "24h" => Times.Of(slot.From)[..^3],
            "13m" => slot.From.ToString("yyyy-MM", CultureInfo.InvariantCulture)
                + (slot.From.Day > 1 ? $", from {slot.From.Day}" : slot.Until.Day > 1 ? ", so far" : string.Empty),
            _ => slot.Days.ToString(),
        };
        return counts.IsIncomplete(slot) && slot.Counts.Count > 0 ? $"{name} (incomplete)" : name;
    }

    private string LabelOf(PeriodSummary counts, Slot slot) => counts.Period.Key switch
    {
        "24h" => Times.Of(slot.From)[11..^3],
        "13m" => slot.From.ToString("MMM yy", CultureInfo.InvariantCulture),
        _ => slot.From.ToString("d MMM", CultureInfo.InvariantCulture),
    };

    private static string EventTimeOf(Slot slot) => slot.From.ToString("yyyy-MM-dd HH", CultureInfo.InvariantCulture);

    private static string FootnoteOf(PeriodSummary counts)
    {
        var tests = counts.Summary.Total.Tests;
        return (counts.IsByHour
                ? "The current hour is incomplete. Hard and soft bounces and machines are counted only by day. Links open the whole day. "
                : "Days are in UTC, and today is incomplete. ")
            + "Rates count events: an email to three recipients is delivered three times. "
            + "A machine that identifies itself as a browser counts as a person."
            + (tests > 0 ? $" Not counted: {PlainText.Count(tests, "test event")}." : string.Empty);
    }

    /// <param name="EventName">What a number leads to; null for a rate.</param>
    /// <param name="Bounce">The kind of bounce, if it is one.</param>
    /// <param name="IsMachine">For opens.</param>
    private sealed record Column(
        string Heading,
        string? EventName,
        Func<Slot, string> TextOf,
        Func<Slot, string?>? ToneOf = null,
        string? Bounce = null,
        bool? IsMachine = null);

    private sealed record Part(string Name, string Tone, Func<Slot, long> Of, bool IsLine = false);

    private sealed record Chart(string Title, IReadOnlyList<ChartPart> Parts, IReadOnlyList<ChartColumn> Columns);
}
