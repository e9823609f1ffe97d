using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Draws a summary: a line for each day, one for each event, then where email arrives, and how fast.</summary>
internal static class SummaryTable
{
    private const int BarWidth = 12;

    // What a screen shows; --json has all that are counted.
    private const int MostShares = 10;
    private const int MinColumns = 2;

    public static IEnumerable<string> Lines(CommandContext context, Summary summary)
    {
        var (byDay, total, _) = summary;
        string[] names = [.. total.Counts.Keys.OrderBy(Order).ThenBy(name => name, StringComparer.Ordinal)];
        Figure[] rates = [.. Rates("Hard bounces", "Delivery rate", "Complaint rate")];
        Figure[] inShort = [.. Rates("Hard", "Delivery", "Complaint")];
        var counts = names.Select(name => new Figure(name, tally => PlainText.Number(tally.Counts.GetValueOrDefault(name))));
        Figure[] all = [.. counts, .. rates];

        // The first that fits. If there is no room for one column per event, the rows below have their counts.
        Days[] tables =
        [
            .. new[] { all, rates, inShort }.Select(figures => Days.Of(byDay, total, figures, BarWidth)),
            Days.Of(byDay, total, inShort, barWidth: 0),
        ];
        var shown = tables.FirstOrDefault(t => TextLayout.IsInColumns(t.Rows, t.Headings, context.Width)) ?? tables[^1];
        return
        [
            .. context.Lines(shown.Rows, shown.Headings),
            string.Empty,
            .. context.Lines([.. names.Select(name => EventRow(name, total))], ["Event", "Count", "Of all", string.Empty]),
            .. total.Tests > 0 ? [$"Not counted: {PlainText.Count(total.Tests, "test event")}."] : (string[])[],
            .. Section(context, "Provider", Shares, [.. total.Providers.Select(ShareRow)]),
            .. Section(
                context,
                "Bounce class",
                ["Hard", "Soft", "Rejected", "Of all"],
                [.. total.BounceClasses.Select(share => ClassRow(share, total.BounceClasses.Sum(CountOf)))]),
            .. Section(context, "Sender's domain", Shares, [.. total.SenderDomains.Select(ShareRow)]),
            .. Sentences(total),
        ];
    }

    // The first columns that fit; in a narrow terminal the last ones are left out.
    private static IEnumerable<string> Section(CommandContext context, string heading, string[] headings, List<Cell[]> rows)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        string[] all = [heading, .. headings];
        var shown = rows.Take(MostShares).ToList();
        var fitting = Enumerable.Range(0, all.Length - MinColumns).Select(left => all.Length - left)
            .FirstOrDefault(columns => TextLayout.IsInColumns(Cut(columns), all[..columns], context.Width), MinColumns);
        return
        [
            string.Empty,
            .. context.Lines(Cut(fitting), all[..fitting]),
            .. rows.Count > MostShares ? [$"… and {PlainText.Number(rows.Count - MostShares)} more"] : (string[])[],
        ];

        Cell[][] Cut(int columns) => [.. shown.Select(row => row[..columns])];
    }

    private static IEnumerable<string> Sentences(Tally total)
    {
        if (total.Times.Count > 0 || total.Of("open").Count + total.Of("click").Count > 0)
        {
            yield return string.Empty;
        }

        if (total.Times.Count > 0)
        {
            yield return $"Delivery time: half within {Seconds(total.Times, 0.5)}, 95 % within {Seconds(total.Times, 0.95)}.";
        }

        foreach (var (name, noun) in new[] { ("open", "open"), ("click", "click") })
        {
            if (total.Of(name) is { Count: > 0 } count)
            {
                yield return $"{PlainText.Count(count.Count, noun)}, {PlainText.Number(count.LikelyMachine)} likely by a machine.";
            }
        }
    }

    private static readonly string[] Shares = ["Delivered", "Hard", "Soft", "Delivery", "Complaint", "Median", "95 %"];

    private static Cell[] ShareRow(Share share) =>
    [
        Cell.Key(share.Name), Cell.Number(PlainText.Number(share.Delivered)), Cell.Number(PlainText.Number(share.HardBounces)),
        Cell.Number(PlainText.Number(share.SoftBounces)), Cell.Number(PlainText.Percent(share.DeliveryRate)),
        Cell.Number(PlainText.Percent(share.ComplaintRate)), Cell.Number(Seconds(share.Times, 0.5)),
        Cell.Number(Seconds(share.Times, 0.95)),
    ];

    private static Cell[] ClassRow(ClassShare share, long all) =>
    [
        Cell.Key(share.Name), Cell.Number(PlainText.Number(share.Hard)), Cell.Number(PlainText.Number(share.Soft)),
        Cell.Number(PlainText.Number(share.Rejected)), Cell.Number(PlainText.Percent((double)CountOf(share) / all)),
    ];

    private static long CountOf(ClassShare share) => share.Hard + share.Soft + share.Rejected;

    private static string Seconds(DeliveryTimes times, double part) => TimeText.OfSeconds(times.Within(part));

    private static IEnumerable<Figure> Rates(string hardBounces, string delivery, string complaint) =>
    [
        new(hardBounces, tally => PlainText.Number(tally.HardBounces)),
        new(delivery, tally => PlainText.Percent(tally.DeliveryRate)),
        new(complaint, tally => PlainText.Percent(tally.ComplaintRate)),
    ];

    private static Cell[] EventRow(string name, Tally total) =>
    [
        Cell.Key(name), Cell.Number(PlainText.Number(total.Counts[name])),
        Cell.Number(PlainText.Percent((double)total.Counts[name] / total.Events)),
        Cell.Key(Bar(total.Counts[name], total.Counts.Values.Max(), BarWidth), EventList.TintOf(name)),
    ];

    private static string Bar(long count, long most, int width) => new('█', (int)Math.Ceiling((double)count * width / most));

    private static int Order(string name) =>
        EventName.OfEmails.Contains(name) ? EventName.OfEmails.ToList().IndexOf(name) : int.MaxValue;

    private sealed record Figure(string Heading, Func<Tally, string> Of);

    private sealed record Days(IReadOnlyList<Cell[]> Rows, string[] Headings)
    {
        public static Days Of(SortedDictionary<string, Tally> byDay, Tally total, IReadOnlyList<Figure> figures, int barWidth)
        {
            var most = Math.Max(1, byDay.Values.Max(tally => tally.Events));
            return new Days(
                [.. byDay.Select(day => Row(day.Key, day.Value, Bar(day.Value.Events, most, barWidth))), Row("Total", total, string.Empty)],
                ["Day (UTC)", string.Empty, "Events", .. figures.Select(figure => figure.Heading)]);

            Cell[] Row(string day, Tally tally, string bar) =>
            [
                Cell.Key(day), Cell.Key(bar, Tint.Dim), Cell.Number(PlainText.Number(tally.Events)),
                .. figures.Select(figure => Cell.Number(figure.Of(tally))),
            ];
        }
    }
}
