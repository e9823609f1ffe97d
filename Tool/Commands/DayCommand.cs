using System.CommandLine;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What bounced today?</summary>
internal static class DayCommand
{
    public static Command Create(CommandContext context)
    {
        var day = new Argument<string?>("date")
        {
            Description = "A day in UTC, such as 2026-05-01; today by default; no-time for events without a time.",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = ArgumentParsing.ParseDayOrNoTime,
        };
        var eventName = new Option<string?>("--event") { Description = "Only this event: bounce, spam, delivered, …" };
        var command = new Command("day", "What happened on a day, grouped by event, each in order of time.") { day, eventName };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var on = parsed.GetValue(day) ?? ArgumentParsing.ToText(context.Today);
            var only = parsed.GetValue(eventName);
            var filter = only is null ? EventQueries.OfDays(on, on) : EventQueries.OfDay(on, only);
            var nothingFound = $"No {(only is null ? string.Empty : $"'{PlainText.Of(only)}' ")}events found for {on}.";
            return await EventList.OfMany.WriteAsync(context, parsed, EventIndex.ByDayTable, filter, nothingFound, cancellationToken);
        });
        return command;
    }
}
