using System.CommandLine;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to this email?</summary>
internal static class EmailCommand
{
    public static Command Create(CommandContext context)
    {
        var emailId = new Argument<string>("email_id") { Description = "The email's id, as SMTP2GO spells it; sms-<message_id> for an SMS." };
        var command = new Command("email", "What happened to this email: its timeline.") { emailId };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var id = parsed.GetRequiredValue(emailId);
            return await EventList.WriteAsync(
                context, parsed, EventStore.TableName, EventQueries.OfEmail(id), $"Nothing is stored of the email '{EventList.Plain(id)}'. Ids are case-sensitive.", cancellationToken);
        });
        return command;
    }
}
