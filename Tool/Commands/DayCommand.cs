using System.CommandLine;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What bounced today?</summary>
internal static class DayCommand
{
    public static Command Create(CommandContext context)
    {
        var day = new Argument<string?>("date")
        {
            Description = "A day in UTC, 2026-05-01; today unless given; no-time for the events without a time.",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = ArgumentParsing.ParseDayOrNoTime,
        };
        var eventName = new Option<string?>("--event") { Description = "Only this event: bounce, spam, delivered, …" };
        var command = new Command("day", "What happened on a day, event by event, each in the order of time.") { day, eventName };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var on = parsed.GetValue(day) ?? ArgumentParsing.ToText(context.Today);
            var only = parsed.GetValue(eventName);
            var filter = only is null ? EventQueries.OfDays(on, on) : EventQueries.OfDay(on, only);
            return await EventList.WriteAsync(
                context, parsed, EventIndex.ByDayTable, filter, $"No {(only is null ? "event" : $"'{EventList.Plain(only)}'")} is stored of {on}.", cancellationToken);
        });
        return command;
    }
}
