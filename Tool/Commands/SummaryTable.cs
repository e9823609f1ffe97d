using System.Globalization;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Draws a summary: a line for each day, then one for each event.</summary>
internal static class SummaryTable
{
    private const int BarWidth = 12;

    public static IEnumerable<string> Lines(CommandContext context, Summary summary)
    {
        var (byDay, total) = summary;
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
        ];
    }

    private static IEnumerable<Figure> Rates(string hardBounces, string delivery, string complaint) =>
    [
        new(hardBounces, tally => PlainText.Number(tally.HardBounces)),
        new(delivery, tally => Percent(tally.DeliveryRate)),
        new(complaint, tally => Percent(tally.ComplaintRate)),
    ];

    private static Cell[] EventRow(string name, Tally total) =>
    [
        Cell.Key(name), Cell.Number(PlainText.Number(total.Counts[name])), Cell.Number(Percent((double)total.Counts[name] / total.Events)),
        Cell.Key(Bar(total.Counts[name], total.Counts.Values.Max(), BarWidth), EventList.TintOf(name)),
    ];

    private static string Bar(int count, int most, int width) => new('█', (int)Math.Ceiling((double)count * width / most));

    private static int Order(string name) =>
        EventName.OfEmails.Contains(name) ? EventName.OfEmails.ToList().IndexOf(name) : int.MaxValue;

    private static string Percent(double? rate) => rate is { } r ? r.ToString("0.00 %", CultureInfo.InvariantCulture) : "–";

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
