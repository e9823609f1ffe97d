using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Why do emails bounce, where, and whose?</summary>
internal static class BouncesCommand
{
    private const int DefaultDays = 7;
    private const int DefaultLimit = 10;

    public static Command Create(CommandContext context)
    {
        var days = new Option<DayRange>("--days")
        {
            Description = $"{DayRange.Forms}; the last {DefaultDays} days by default.",
            DefaultValueFactory = argument => ArgumentParsing.LastDays(argument, context, DefaultDays),
            CustomParser = argument => ArgumentParsing.ParseDays(argument, context),
        };
        var limit = ArgumentParsing.Limit($"Show only the n largest in each list; {DefaultLimit} by default, with --json all of them.");
        var command = new Command("bounces", "Counts bounces by reason, by the recipient's domain and by sender.") { days, limit };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var range = parsed.GetRequiredValue(days);
            var report = await Progress.ShowAsync(context, "bounces", progress => BounceReport.CountAsync(
                context.Tables(parsed), TimeWindow.Of(range, context.Times(parsed).Zone), progress, cancellationToken));
            if (report.Hard + report.Soft == 0)
            {
                return await context.NothingFoundAsync($"No bounces found for {range}.");
            }

            var most = parsed.GetValue(limit) ?? DefaultLimit;
            await (context.IsJson(parsed) ? WriteJsonAsync(context, report, parsed.GetValue(limit), cancellationToken)
                : DrawAsync(context, report, range, most, cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task DrawAsync(
        CommandContext context, BounceReport report, DayRange days, int most, CancellationToken cancellationToken)
    {
        await context.WriteLinesAsync(
            [
                FormattableString.Invariant(
                    $"{days}: {PlainText.Count(report.Hard + report.Soft, "bounce")}, {report.Hard:N0} hard and {report.Soft:N0} soft"),
                .. Section("Reason", report.ByReason, withExample: true),
                .. Section("Domain", report.ByDomain, withExample: false),
                .. Section("Sender", report.BySender, withExample: false),
            ],
            cancellationToken);

        IEnumerable<string> Section(string heading, BounceGroups groups, bool withExample)
        {
            List<BounceGroup> all = [.. groups.Largest];
            var rows = all.Take(most).Select(group => (Cell[])
            [
                Cell.Number(PlainText.Number(group.Hard)),
                Cell.Number(PlainText.Number(group.Soft)),
                .. (Cell[])(withExample && group.Example != group.Name
                    ? [Cell.Key(group.Name), Cell.Text(group.Example)]
                    : [Cell.Key(withExample ? string.Empty : group.Name), Cell.Text(withExample ? group.Name : string.Empty)]),
            ]);
            var left = all.Skip(most).Sum(group => group.Hard + group.Soft) + groups.Others;
            return
            [
                string.Empty,
                .. context.Lines([.. rows], ["Hard", "Soft", heading, "For example"]),
                .. left > 0 ? [$"… and {PlainText.Count(left, "bounce")} more"] : (string[])[],
            ];
        }
    }

    private static async Task WriteJsonAsync(
        CommandContext context, BounceReport report, int? most, CancellationToken cancellationToken)
    {
        foreach (var (by, groups) in new[] { ("reason", report.ByReason), ("domain", report.ByDomain), ("sender", report.BySender) })
        {
            foreach (var group in groups.Largest.Take(most ?? int.MaxValue))
            {
                var line = new JsonObject { ["by"] = by, ["name"] = group.Name, ["hard"] = group.Hard, ["soft"] = group.Soft };
                if (by == "reason")
                {
                    line["example"] = group.Example;
                }

                await context.Output.WriteJsonAsync(line, cancellationToken);
            }
        }
    }
}
