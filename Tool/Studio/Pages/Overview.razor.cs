using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio.Pages;

/// <summary>What the page shows, as texts and numbers.</summary>
public sealed partial class Overview
{
    private const int FigureCount = 12;

    private static IEnumerable<Figure> FiguresOf(PeriodSummary counts)
    {
        var total = counts.Summary.Total;
        var (opens, clicks, times) = (total.Of("open"), total.Of("click"), total.Times);
        var (delivered, spam, unsubscribed) = (Count("delivered"), Count("spam"), Count("unsubscribe"));

        // Only the number of events is kept by hour. Anything else covers the two days that the hours are in.
        var wide = counts.IsByHour ? "today and yesterday (UTC)" : null;
        return
        [
            Of("sent", "Emails sent", "processed", Count("processed"), "an email to three people counts once"),
            Of("delivered", "Deliveries", "delivered", delivered,
                Joined($"one per recipient; {PlainText.Percent(total.DeliveryRate)} delivery rate", wide)),
            Of("hard", "Hard bounces", "bounce", total.HardBounces, Joined(PlainText.Percent(total.HardBounceRate), wide)) with
            {
                Href = counts.Activity("bounce", bounce: EventFilter.Hard),
                Verdict = Verdict.Of(Threshold.HardBounces, total.HardBounceRate, total.Of("delivered").Count + total.HardBounces),
            },
            Of("soft", "Soft bounces", "bounce", total.SoftBounces, Joined("SMTP2GO retries these", wide)) with
            {
                Href = counts.Activity("bounce", bounce: EventFilter.Soft),
            },
            Of("rejected", "Rejected", "reject", Count("reject"), "never sent by SMTP2GO"),
            Of("complaints", "Spam complaints", "spam", spam, $"{PlainText.Percent(Tally.Rate(spam, delivered))} of delivered") with
            {
                Verdict = Verdict.Of(Threshold.Complaints, Tally.Rate(spam, delivered), delivered),
            },
            Of("unsubscribes", "Unsubscribed", "unsubscribe", unsubscribed,
                $"{PlainText.Percent(Tally.Rate(unsubscribed, delivered))} of delivered"),
            Of("opens", "Opens by people", "open", opens.Count - opens.LikelyMachine,
                Joined("each time; not by a known machine", wide)) with
            {
                Href = counts.Activity("open", isMachine: false),
            },
            Of("machine-opens", "Opens by machines", "open", opens.LikelyMachine,
                Joined($"{PlainText.Percent(Tally.Rate(opens.LikelyMachine, opens.Count))} of all opens", wide)) with
            {
                Href = counts.Activity("open", isMachine: true),
            },
            Of("clicks", "Clicks", "click", Count("click"), Joined($"{PlainText.Number(clicks.LikelyMachine)} by machines", wide)),
            Timed("median", "Median delivery time", 0.5) with
            {
                Verdict = Verdict.Of(Threshold.MedianDelivery, times.Within(0.5), times.Count),
            },
            Timed("p95", "95 % delivered within", 0.95),
        ];

        long Count(string name) => counts.IsByHour ? counts.Slots.Sum(slot => slot.Of(name)) : total.Of(name).Count;

        // A zero would say that nothing happened.
        Figure Of(string name, string label, string eventName, long count, string note) => new(
            name,
            label,
            count == 0 && counts.IsNothingCounted ? "not counted" : PlainText.Number(count),
            counts.Activity(eventName),
            note);

        Figure Timed(string name, string label, double part) =>
            new(name, label, TimeText.OfSeconds(times.Within(part)), counts.Activity("delivered"), Joined("from submission", wide));
    }

    private static string Joined(string text, string? more) => more is null ? text : $"{text}; {more}";

    private sealed record Figure(string Name, string Label, string Value, string Href, string? Note, Verdict? Verdict = null);
}
