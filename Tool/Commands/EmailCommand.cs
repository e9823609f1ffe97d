using System.CommandLine;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to this email?</summary>
internal static class EmailCommand
{
    public static Command Create(CommandContext context)
    {
        var emailId = new Argument<string>("email_id")
        {
            Description = "The email's id, exactly as SMTP2GO writes it; sms-<message_id> for an SMS.",
        };
        var command = new Command("email", "What happened to this email: its timeline.") { emailId };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var id = parsed.GetRequiredValue(emailId);
            var nothingFound = $"No events found for email '{PlainText.Of(id)}'. Ids are case-sensitive.";
            return await EventList.OfOneEmail.WriteAsync(
                context, parsed, EventStore.TableName, EventQueries.OfEmail(id), nothingFound, cancellationToken);
        });
        return command;
    }
}
