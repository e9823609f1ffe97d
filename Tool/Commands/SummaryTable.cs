using System.Globalization;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Draws a summary: a line for each day with a bar, and a chart of all events.</summary>
internal static class SummaryTable
{
    private const int BarWidth = 12;
    private const int ChartWidth = 80;

    public static void Draw(IAnsiConsole console, Summary summary)
    {
        var (byDay, total) = summary;
        string[] names = [.. total.Counts.Keys.OrderBy(Order).ThenBy(name => name, StringComparer.Ordinal)];
        List<(string Header, Func<Tally, string> Of)> rates =
        [
            ("hard bounces", tally => Number(tally.HardBounces)),
            ("delivery rate", tally => Percent(tally.DeliveryRate)),
            ("complaint rate", tally => Percent(tally.ComplaintRate)),
        ];
        List<(string Header, Func<Tally, string> Of)> all = [.. names.Select(CountsOf), .. rates];

        // Where a terminal has no room for a column of each event, the chart has their counts.
        var columns = WidthOf(all) <= console.Profile.Width ? all : rates;
        var table = new Table().SimpleBorder().AddColumns(new TableColumn("Day").NoWrap(), new TableColumn("Events").NoWrap());
        foreach (var (header, _) in columns)
        {
            table.AddColumn(new TableColumn(new Text(header)).RightAligned().NoWrap());
        }

        var most = Math.Max(1, byDay.Values.Max(tally => tally.Events));
        foreach (var (day, tally) in byDay)
        {
            AddRow(day, tally, new string('█', (int)Math.Ceiling((double)tally.Events * BarWidth / most)) + " ");
        }

        AddRow("Total", total, string.Empty);
        console.Write(table);
        if (names.Length > 0)
        {
            var chart = new BarChart { Width = Math.Min(ChartWidth, console.Profile.Width), Culture = CultureInfo.InvariantCulture };
            console.Write(names.Aggregate(
                chart, (bars, name) => bars.AddItem(Markup.Escape(PlainText.Of(name)), total.Counts[name], ColorOf(name))));
        }

        if (total.Tests > 0)
        {
            console.WriteLine($"Not counted: {PlainText.Count(total.Tests, "test event")}.");
        }

        static (string Header, Func<Tally, string> Of) CountsOf(string name) =>
            (PlainText.Of(name), tally => Number(tally.Counts.GetValueOrDefault(name)));

        void AddRow(string day, Tally tally, string bar) =>
            table.AddRow([new Text(day), new Text(bar + Number(tally.Events)), .. columns.Select(column => new Text(column.Of(tally)))]);
    }

    // The day, the bar with its number, and each column as wide as its header, which no count exceeds by much; two characters between.
    private static int WidthOf(IEnumerable<(string Header, Func<Tally, string> Of)> columns) =>
        12 + BarWidth + 9 + columns.Sum(column => column.Header.GetCellWidth() + 2);

    private static int Order(string name) =>
        EventName.OfEmails.Contains(name) ? EventName.OfEmails.ToList().IndexOf(name) : int.MaxValue;

    private static Color ColorOf(string name) => name switch
    {
        "delivered" or "sms_delivered" => Color.Green,
        "bounce" or "reject" or "sms_failed" or "sms_rejected" => Color.Red,
        "spam" or "unsubscribe" => Color.Yellow,
        _ => Color.Blue,
    };

    private static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double? rate) => rate is { } r ? r.ToString("0.00 %", CultureInfo.InvariantCulture) : "–";
}
