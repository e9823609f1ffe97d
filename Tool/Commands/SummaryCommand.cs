using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>How many events a day, how much of the email arrives, where it does not, and how long it takes.</summary>
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
        var live = new Option<bool>("--live")
        {
            Description = "Count every event now instead of adding up the app's own counts. Slower, with the same result.",
        };
        var command = new Command(
            "summary",
            "Events by day, delivery rate (delivered / (delivered + hard bounces)), complaint rate (spam / delivered) and delivery time; "
            + "also by mailbox provider, class of bounce and sender's domain.")
        {
            days, live,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var range = parsed.GetRequiredValue(days);
            var (from, to) = (DayRange.ToText(range.First), DayRange.ToText(range.Last));
            var summary = await Progress.ShowAsync(context, "events", progress =>
                Summary.ReadAsync(context.Tables(parsed), range, parsed.GetValue(live), progress, cancellationToken));
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
        json["byHour"] = new JsonObject(tally.ByHour.Select(hours => KeyValuePair.Create<string, JsonNode?>(
            hours.Key, new JsonArray([.. hours.Value.Select(count => JsonValue.Create(count))]))));
        json["hardBounces"] = tally.HardBounces;
        json["deliveryRate"] = tally.DeliveryRate;
        json["complaintRate"] = tally.ComplaintRate;
        json["testEvents"] = tally.Tests;
        json["delivery"] = ToJson(tally.Times);
        json["opens"] = ToJson(tally.Of("open").Count, tally.Of("open").LikelyMachine);
        json["clicks"] = ToJson(tally.Of("click").Count, tally.Of("click").LikelyMachine);
        json["providers"] = new JsonArray([.. tally.Providers.Select(ToJson)]);
        json["bounceClasses"] = new JsonArray([.. tally.BounceClasses.Select(share => new JsonObject
        {
            ["name"] = share.Name,
            ["hard"] = share.Hard,
            ["soft"] = share.Soft,
            ["rejected"] = share.Rejected,
        })]);
        json["senderDomains"] = new JsonArray([.. tally.SenderDomains.Select(ToJson)]);
        return json;
    }

    private static JsonObject ToJson(Share share) => new()
    {
        ["name"] = share.Name,
        ["delivered"] = share.Delivered,
        ["hardBounces"] = share.HardBounces,
        ["softBounces"] = share.SoftBounces,
        ["rejected"] = share.Rejected,
        ["spam"] = share.Complaints,
        ["deliveryRate"] = share.DeliveryRate,
        ["complaintRate"] = share.ComplaintRate,
        ["delivery"] = ToJson(share.Times),
        ["opens"] = ToJson(share.Opens.Count, share.Opens.LikelyMachine),
        ["clicks"] = ToJson(share.Clicks.Count, share.Clicks.LikelyMachine),
    };

    private static JsonObject ToJson(DeliveryTimes times) => new()
    {
        ["timed"] = times.Count,
        ["medianSeconds"] = times.Within(0.5),
        ["p95Seconds"] = times.Within(0.95),
    };

    private static JsonObject ToJson(long count, long likelyMachine) => new() { ["count"] = count, ["likelyMachine"] = likelyMachine };
}
