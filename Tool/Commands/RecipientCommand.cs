using System.CommandLine;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to everything sent to this address?</summary>
internal static class RecipientCommand
{
    public static Command Create(CommandContext context)
    {
        var address = new Argument<string>("address") { Description = "An email address, in any case, or a telephone number." };
        var since = new Option<DateTimeOffset?>("--since")
        {
            Description = "Only what happened since then (UTC): 2026-05-01, or how long ago as 7d, 12h, 30m.",
            CustomParser = argument => ArgumentParsing.ParseSince(argument, context.Time.GetUtcNow()),
        };
        var command = new Command("recipient", "What happened to everything sent to this address, the oldest first.") { address, since };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var recipient = parsed.GetRequiredValue(address);
            var filter = EventQueries.OfRecipient(recipient, parsed.GetValue(since));
            return await EventList.WriteAsync(
                context, parsed, EventIndex.ByRecipientTable, filter, $"Nothing is stored of what was sent to '{EventList.Plain(recipient)}'{(parsed.GetValue(since) is null ? string.Empty : " since then")}.", cancellationToken);
        });
        return command;
    }
}
