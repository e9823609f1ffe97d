using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class ForgetCommand
{
    public static Command Create(CommandContext context)
    {
        var address = new Argument<string>("address")
        {
            Description = "The email address to forget, in any case, or a telephone number with its country code.",
            CustomParser = ParseAddress,
        };
        var force = new Option<bool>("--force")
        {
            Description = "Continue although waiting messages may contain the address. Bodies are then kept: run it again later.",
        };
        var command = new Command(
            "forget",
            "Forgets an address: deletes the events about only that address and removes it from all others. Reads everything stored.")
        {
            address, force,
        };
        var confirmation = new Confirmation(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isGiven = confirmation.IsGiven(parsed);
            var forgotten = await context.RunAsync(parsed, "rows read", async (services, progress) =>
            {
                var waiting = await services.GetRequiredService<QueueWatch>().CountAsync(cancellationToken);
                return !isGiven || waiting == 0 || parsed.GetValue(force)
                    ? await services.GetRequiredService<Forgetting>().ForgetAsync(
                        parsed.GetRequiredValue(address), !isGiven, progress, cancellationToken)
                    : throw new CommandFailedException(
                        $"{PlainText.Count(waiting, "message")} in the queues may contain the address. "
                        + "Try again once all are stored, or add --force.");
            });
            if (forgotten.IsNothing)
            {
                return await context.NothingFoundAsync($"Found nothing about '{PlainText.Of(parsed.GetRequiredValue(address))}'.");
            }

            return await confirmation.ReportAsync(context, parsed, FiguresOf(forgotten, isGiven), cancellationToken);
        });
        return command;
    }

    private static string? ParseAddress(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (AddressPattern.Parse(text) is null)
        {
            argument.AddError($"'{PlainText.Of(text)}' is not an email address or a telephone number with its country code.");
        }

        return text;
    }

    private static IEnumerable<Figure> FiguresOf(Forgotten forgotten, bool isDone) =>
    [
        new("deleted", isDone ? "Events deleted" : "Events to delete", forgotten.Deleted),
        new("redacted", isDone ? "Events redacted" : "Events to redact", forgotten.Redacted),
        new("indexRows", isDone ? "Index rows without an event deleted" : "Index rows without an event to delete", forgotten.IndexRows),
        new("recipients", isDone ? "Recipient states deleted" : "Recipient states to delete", forgotten.Recipients),
        new("deadLetters", isDone ? "Dead letters deleted or redacted" : "Dead letters to delete or redact", forgotten.DeadLetters),
        new("blobs", isDone ? "Stored bodies deleted" : "Stored bodies to delete", forgotten.Blobs),
        new("blobsLeft", "Stored bodies kept: run this again later", forgotten.BlobsLeft),
    ];
}
