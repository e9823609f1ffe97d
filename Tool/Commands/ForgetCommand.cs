using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Tool.Commands;

internal static class ForgetCommand
{
    public static Command Create(CommandContext context)
    {
        var address = new Argument<string>("address") { Description = "The address to forget, in any case." };
        var force = new Option<bool>("--force")
        {
            Description = "Continue although messages are waiting that may hold the address. Bodies are then kept: run it again later.",
        };
        var command = new Command(
            "forget",
            "Forgets an address: deletes the events about only that address and removes it from all others. Reads everything stored.")
        {
            address, force,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(address) is not { Length: > 2 } text || !text.Contains('@', StringComparison.Ordinal))
            {
                result.AddError("Give a complete email address.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var forgotten = await context.RunAsync(parsed, "rows read", async (services, progress) =>
            {
                var waiting = await services.GetRequiredService<QueueWatch>().CountAsync(cancellationToken);
                return waiting == 0 || parsed.GetValue(force)
                    ? await services.GetRequiredService<Forgetting>().ForgetAsync(
                        parsed.GetRequiredValue(address), progress, cancellationToken)
                    : throw new CommandFailedException(
                        $"{PlainText.Count(waiting, "message")} in the queues may hold the address. "
                        + "Try again once stored, or add --force.");
            });
            return await context.ReportAsync(
                parsed,
                Describe(forgotten),
                ("deleted", forgotten.Deleted),
                ("redacted", forgotten.Redacted),
                ("deadLetters", forgotten.DeadLetters),
                ("blobs", forgotten.Blobs),
                ("blobsLeft", forgotten.BlobsLeft));
        });
        return command;
    }

    private static string Describe(Forgotten forgotten) =>
        $"Deleted {PlainText.Count(forgotten.Deleted, "event")} and redacted {forgotten.Redacted:N0}. "
        + $"Deleted or redacted {PlainText.Count(forgotten.DeadLetters, "dead letter")}. "
        + $"Deleted {forgotten.Blobs:N0} stored bodies."
        + (forgotten.BlobsLeft == 0
            ? string.Empty
            : $" Kept {forgotten.BlobsLeft:N0} stored bodies that may be in use: run this again when the queues are empty.");
}
