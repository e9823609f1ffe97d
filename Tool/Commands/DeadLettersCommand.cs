using System.CommandLine;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What was acknowledged but could not be stored as an event.</summary>
internal static class DeadLettersCommand
{
    public static Command Create(CommandContext context) =>
        new("dead-letters", "Webhooks that were acknowledged but could not be stored as events.")
        {
            DeadLetterListCommand.Create(context),
            DeadLetterShowCommand.Create(context),
            DeadLetterReplayCommand.Create(context),
            DeadLetterDropCommand.Create(context),
        };
}
