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
        var command = new Command(
            "purge",
            "Deletes the events of all days before a day from all three tables, and their bodies. Safe to interrupt and run again.")
        {
            before,
        };
        var confirmation = new Confirmation(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var day = parsed.GetRequiredValue(before)!;
            var time = DateTimeOffset.Parse(day, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            var isGiven = confirmation.IsGiven(parsed);
            var count = await context.RunAsync(parsed, "events", (services, progress) =>
                services.GetRequiredService<Retention>().PurgeAsync(time, !isGiven, progress, cancellationToken));
            if (count == 0)
            {
                return await context.NothingFoundAsync($"No events found before {day}.");
            }

            Figure figure = new("events", isGiven ? "Events deleted" : "Events to delete", count);
            return await confirmation.ReportAsync(context, parsed, [figure], cancellationToken);
        });
        return command;
    }
}
