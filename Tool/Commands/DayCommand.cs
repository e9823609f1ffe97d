using System.CommandLine;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What bounced today?</summary>
internal static class DayCommand
{
    // Events without a time have no day.
    private static readonly DayRange NoTime = new(DateOnly.MinValue, DateOnly.MinValue);

    public static Command Create(CommandContext context)
    {
        var days = new Argument<DayRange>("days")
        {
            Description = $"{DayRange.Forms}; today by default; {EventKeys.NoTime} for events without a time.",
            DefaultValueFactory = argument => ArgumentParsing.LastDays(argument, context, 1),
            CustomParser = argument =>
                argument.Tokens[0].Value == EventKeys.NoTime ? NoTime : ArgumentParsing.ParseDays(argument, context),
        };
        var eventName = new Option<string?>("--event") { Description = "Only this event: bounce, spam, delivered, …" };
        var limit = ArgumentParsing.Limit("Show only the first n events.");
        var command = new Command("day", "What happened on one or more days: by UTC day and event, each in order of time.")
        {
            days, eventName, limit,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (range, only) = (parsed.GetRequiredValue(days), parsed.GetValue(eventName)?.Trim());
            var filters = range == NoTime
                ? [EventQueries.OfNoTime(only)]
                : EventQueries.OfSpan(TimeWindow.Of(range, context.Times(parsed).Zone), only);
            var kind = only is null ? string.Empty : $"'{PlainText.Of(only)}' ";
            return await EventList.OfMany(context, parsed).WriteAsync(
                context,
                parsed,
                EventIndex.ByDayTable,
                filters,
                parsed.GetValue(limit),
                $"No {kind}events found {(range == NoTime ? "without a time" : $"for {range}")}."
                    + (only is null || EventName.IsKnown(EventName.Normalize(only)) ? null : Suggestion.For(only, EventName.OfEmails)),
                cancellationToken);
        });
        return command;
    }
}
