using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>How many events a day, and how well email arrives.</summary>
internal static class SummaryCommand
{
    private const int MaxDays = 3_660;
    private const int BarWidth = 24;

    public static Command Create(CommandContext context)
    {
        var days = new Option<int>("--days")
        {
            Description = "How many days, today (UTC) the last.",
            DefaultValueFactory = _ => 30,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 1, MaxDays),
        };
        var command = new Command("summary", "Events by day, delivery rate (delivered of delivered and hard bounces), complaint rate (spam of delivered).") { days };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (from, to) = (context.Today.AddDays(1 - parsed.GetValue(days)), context.Today);
            var (byDay, total) = await CountAsync(context, parsed, ArgumentParsing.ToText(from), ArgumentParsing.ToText(to), cancellationToken);
            if (total is { Events: 0, Tests: 0 })
            {
                return await context.NothingFoundAsync($"No event is stored from {ArgumentParsing.ToText(from)} to {ArgumentParsing.ToText(to)}.");
            }

            if (context.IsJson(parsed))
            {
                foreach (var (day, tally) in byDay)
                {
                    await context.Output.WriteJsonAsync(ToJson(tally, ("day", day)), cancellationToken);
                }

                await context.Output.WriteJsonAsync(ToJson(total, ("from", ArgumentParsing.ToText(from)), ("to", ArgumentParsing.ToText(to))), cancellationToken);
            }
            else
            {
                Draw(context.Console, byDay, total);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<(SortedDictionary<string, Tally> ByDay, Tally Total)> CountAsync(
        CommandContext context, ParseResult parsed, string from, string to, CancellationToken cancellationToken)
    {
        var byDay = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        var total = new Tally();
        string[] columns = ["PartitionKey", ColumnNames.IsTest, "bounce"];
        using var progress = new Progress(context, "events");
        await foreach (var row in context.Tables(parsed).RowsAsync(EventIndex.ByDayTable, EventQueries.OfDays(from, to), columns, cancellationToken))
        {
            // <day>_<event>, with =XX for a byte that no key may hold.
            var (day, key) = (row.PartitionKey[..from.Length], row.PartitionKey[(from.Length + 1)..]);
            var name = key.Contains('=', StringComparison.Ordinal) ? Uri.UnescapeDataString(key.Replace('=', '%')) : key;
            if (!byDay.TryGetValue(day, out var tally))
            {
                byDay.Add(day, tally = new Tally());
            }

            var isTest = row.TryGetValue(ColumnNames.IsTest, out var test) && test is true;
            var isHard = name == "bounce" && row.TryGetValue("bounce", out var bounce) && bounce is string kind && kind.Equals("hard", StringComparison.OrdinalIgnoreCase);
            tally.Add(name, isTest, isHard);
            total.Add(name, isTest, isHard);
            progress.Add();
        }

        return (byDay, total);
    }

    private static JsonObject ToJson(Tally tally, params ReadOnlySpan<(string Name, string Value)> head)
    {
        var json = new JsonObject();
        foreach (var (name, value) in head)
        {
            json[name] = value;
        }

        json["events"] = tally.Events;
        json["counts"] = new JsonObject(tally.Counts.Select(count => KeyValuePair.Create<string, JsonNode?>(count.Key, count.Value)));
        json["hardBounces"] = tally.HardBounces;
        json["deliveryRate"] = tally.DeliveryRate;
        json["complaintRate"] = tally.ComplaintRate;
        json["testEvents"] = tally.Tests;
        return json;
    }

    private static void Draw(IAnsiConsole console, SortedDictionary<string, Tally> byDay, Tally total)
    {
        string[] names = [.. total.Counts.Keys.OrderBy(Order).ThenBy(name => name, StringComparer.Ordinal)];
        var table = new Table().SimpleBorder().AddColumns("Day", "Events");
        foreach (var header in names.Append("hard bounces").Append("delivery rate").Append("complaint rate"))
        {
            table.AddColumn(new TableColumn(new Text(EventList.Plain(header))).RightAligned());
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
            var chart = new BarChart { Width = 80, Culture = CultureInfo.InvariantCulture };
            console.Write(names.Aggregate(chart, (bars, name) => bars.AddItem(Markup.Escape(EventList.Plain(name)), total.Counts[name], ColorOf(name))));
        }

        if (total.Tests > 0)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{total.Tests} test events are left out."));
        }

        void AddRow(string day, Tally tally, string bar) => table.AddRow(
        [
            new Text(day),
            new Text(string.Create(CultureInfo.InvariantCulture, $"{bar}{tally.Events}")),
            .. names.Select(name => new Text(tally.Counts.GetValueOrDefault(name).ToString(CultureInfo.InvariantCulture))),
            new Text(tally.HardBounces.ToString(CultureInfo.InvariantCulture)),
            new Text(Percent(tally.DeliveryRate)),
            new Text(Percent(tally.ComplaintRate)),
        ]);
    }

    private static int Order(string name) => EventName.OfEmails.Contains(name) ? EventName.OfEmails.ToList().IndexOf(name) : int.MaxValue;

    private static Color ColorOf(string name) => name switch
    {
        "delivered" or "sms_delivered" => Color.Green,
        "bounce" or "reject" or "sms_failed" or "sms_rejected" => Color.Red,
        "spam" or "unsubscribe" => Color.Yellow,
        _ => Color.Blue,
    };

    private static string Percent(double? rate) => rate is { } r ? r.ToString("0.00 %", CultureInfo.InvariantCulture) : "–";

    /// <summary>Counts of a day or of all; test events are counted apart and in nothing else.</summary>
    private sealed class Tally
    {
        public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

        public int Events { get; private set; }

        public int HardBounces { get; private set; }

        public int Tests { get; private set; }

        public double? DeliveryRate => Rate(Delivered, Delivered + HardBounces);

        public double? ComplaintRate => Rate(Counts.GetValueOrDefault("spam"), Delivered);

        private int Delivered => Counts.GetValueOrDefault("delivered");

        public void Add(string name, bool isTest, bool isHardBounce)
        {
            if (isTest)
            {
                Tests++;
                return;
            }

            Events++;
            Counts[name] = Counts.GetValueOrDefault(name) + 1;
            HardBounces += isHardBounce ? 1 : 0;
        }

        private static double? Rate(int part, int whole) => whole == 0 ? null : (double)part / whole;
    }
}
