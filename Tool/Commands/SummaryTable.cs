using System.Globalization;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Draws a summary: a line for each day with a bar, and a chart of all events.</summary>
internal static class SummaryTable
{
    private const int BarWidth = 24;
    private const int ChartWidth = 80;

    public static void Draw(IAnsiConsole console, Summary summary)
    {
        var (byDay, total) = summary;
        string[] names = [.. total.Counts.Keys.OrderBy(Order).ThenBy(name => name, StringComparer.Ordinal)];
        var table = new Table().SimpleBorder().AddColumns("Day", "Events");
        foreach (var header in names.Append("hard bounces").Append("delivery rate").Append("complaint rate"))
        {
            table.AddColumn(new TableColumn(new Text(PlainText.Of(header))).RightAligned());
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
            var chart = new BarChart { Width = ChartWidth, Culture = CultureInfo.InvariantCulture };
            console.Write(names.Aggregate(
                chart, (bars, name) => bars.AddItem(Markup.Escape(PlainText.Of(name)), total.Counts[name], ColorOf(name))));
        }

        if (total.Tests > 0)
        {
            console.WriteLine($"Not counted: {PlainText.Count(total.Tests, "test event")}.");
        }

        void AddRow(string day, Tally tally, string bar) => table.AddRow(
        [
            new Text(day),
            new Text(bar + Number(tally.Events)),
            .. names.Select(name => new Text(Number(tally.Counts.GetValueOrDefault(name)))),
            new Text(Number(tally.HardBounces)),
            new Text(Percent(tally.DeliveryRate)),
            new Text(Percent(tally.ComplaintRate)),
        ]);
    }

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
