using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tool.Commands;

internal static class PurgeCommand
{
    public static Command Create(CommandContext context)
    {
        var before = new Option<DateOnly>("--before")
        {
            Description = "The first day to keep, such as 2026-05-01; not in the future.",
            Required = true,
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count; delete nothing." };
        var command = new Command(
            "purge",
            "Deletes the events of all days before a day from all three tables, and their bodies. Safe to interrupt and run again.")
        {
            before, dryRun,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(before) > context.Today)
            {
                result.AddError("--before is in the future.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var day = new DateTimeOffset(parsed.GetValue(before), TimeOnly.MinValue, TimeSpan.Zero);
            var count = await context.RunAsync(parsed, "events", (services, progress) =>
                services.GetRequiredService<Retention>().PurgeAsync(day, parsed.GetValue(dryRun), progress, cancellationToken));
            var events = PlainText.Count(count, "event");
            return await context.ReportAsync(
                parsed, parsed.GetValue(dryRun) ? $"Would delete {events}." : $"Deleted {events}.", ("events", count));
        });
        return command;
    }
}
