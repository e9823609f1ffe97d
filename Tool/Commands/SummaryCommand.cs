using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>How many events a day, and how much of the email arrives.</summary>
internal static class SummaryCommand
{
    private const int DefaultDays = 30;

    public static Command Create(CommandContext context)
    {
        // The table's days are in UTC, so a count of local ones would have to look at every event.
        var days = new Option<DayRange>("--days")
        {
            Description = $"{DayRange.Forms}; in UTC; the last {DefaultDays} days by default.",
            DefaultValueFactory = _ => DayRange.LastDays(DefaultDays, context.Today),
            CustomParser = argument => ArgumentParsing.ParseDays(argument, context.Today),
        };
        var command = new Command(
            "summary",
            "Events by day, delivery rate (delivered / (delivered + hard bounces)) and complaint rate (spam / delivered).")
        {
            days,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var range = parsed.GetRequiredValue(days);
            var (from, to) = (DayRange.ToText(range.First), DayRange.ToText(range.Last));
            var summary = await Progress.ShowAsync(context, "events", progress =>
                Summary.CountAsync(context.Tables(parsed), from, to, progress, cancellationToken));
            if (summary.Total is { Events: 0, Tests: 0 })
            {
                return await context.NothingFoundAsync($"No events found from {from} to {to}.");
            }

            if (!context.IsJson(parsed))
            {
                await context.WriteLinesAsync(SummaryTable.Lines(context, summary), cancellationToken);
                return ExitCode.Done;
            }

            foreach (var (day, tally) in summary.ByDay)
            {
                await context.Output.WriteJsonAsync(ToJson(tally, ("day", day)), cancellationToken);
            }

            await context.Output.WriteJsonAsync(ToJson(summary.Total, ("from", from), ("to", to)), cancellationToken);
            return ExitCode.Done;
        });
        return command;
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
}
