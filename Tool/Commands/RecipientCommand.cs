using System.CommandLine;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to everything sent to this address?</summary>
internal static class RecipientCommand
{
    public static Command Create(CommandContext context)
    {
        var address = new Argument<string>("address") { Description = "An email address, in any case, or a telephone number." };
        var since = new Option<DateTimeOffset?>("--since")
        {
            Description = "Only events since then (UTC): 2026-05-01, or how long ago as 7d, 12h, 30m.",
            CustomParser = argument => ArgumentParsing.ParseSince(argument, context.Time.GetUtcNow()),
        };
        var command = new Command("recipient", "What happened to everything sent to this address, oldest first.") { address, since };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (recipient, from) = (parsed.GetRequiredValue(address), parsed.GetValue(since));
            var filter = EventQueries.OfRecipient(recipient, from);
            var nothingFound = $"No events found for recipient '{PlainText.Of(recipient)}'{(from is null ? string.Empty : " since then")}.";
            return await EventList.OfMany.WriteAsync(
                context, parsed, EventIndex.ByRecipientTable, filter, nothingFound, cancellationToken);
        });
        return command;
    }
}
