using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tool.Commands;

internal static class PurgeCommand
{
    public static Command Create(CommandContext context)
    {
        var before = new Option<string?>("--before")
        {
            Description = "The first day to keep, such as 2026-05-01; not in the future.",
            Required = true,
            CustomParser = argument => ArgumentParsing.ParseDay(argument, context.Today, context.Today),
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count; delete nothing." };
        var yes = new Option<bool>("--yes") { Description = "Delete them; without it they are only counted." };
        var command = new Command(
            "purge",
            "Deletes the events of all days before a day from all three tables, and their bodies. Safe to interrupt and run again.")
        {
            before, dryRun, yes,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var day = parsed.GetRequiredValue(before)!;
            var time = DateTimeOffset.Parse(day, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            var onlyCount = parsed.GetValue(dryRun) || !parsed.GetValue(yes);
            var count = await context.RunAsync(parsed, "events", (services, progress) =>
                services.GetRequiredService<Retention>().PurgeAsync(time, onlyCount, progress, cancellationToken));
            if (count == 0)
            {
                return await context.NothingFoundAsync($"No events found before {day}.");
            }

            var events = PlainText.Count(count, "event");
            return !onlyCount || parsed.GetValue(dryRun)
                ? await context.ReportAsync(parsed, onlyCount ? $"Would delete {events}." : $"Deleted {events}.", ("events", count))
                : throw new CommandFailedException($"This would delete {events} for good. Add --yes to delete.", ExitCode.WrongUsage);
        });
        return command;
    }
}
