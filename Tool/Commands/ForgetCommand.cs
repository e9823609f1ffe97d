using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;

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
            Description = "Continue although messages are waiting that may hold the address. Bodies are then kept: run it again later.",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count; change nothing." };
        var yes = new Option<bool>("--yes") { Description = "Forget it; without this it is only counted." };
        var command = new Command(
            "forget",
            "Forgets an address: deletes the events about only that address and removes it from all others. Reads everything stored.")
        {
            address, force, dryRun, yes,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var onlyCount = parsed.GetValue(dryRun) || !parsed.GetValue(yes);
            var forgotten = await context.RunAsync(parsed, "rows read", async (services, progress) =>
            {
                var waiting = await services.GetRequiredService<QueueWatch>().CountAsync(cancellationToken);
                return onlyCount || waiting == 0 || parsed.GetValue(force)
                    ? await services.GetRequiredService<Forgetting>().ForgetAsync(
                        parsed.GetRequiredValue(address), onlyCount, progress, cancellationToken)
                    : throw new CommandFailedException(
                        $"{PlainText.Count(waiting, "message")} in the queues may hold the address. "
                        + "Try again once stored, or add --force.");
            });
            if (forgotten.IsNothing)
            {
                return await context.NothingFoundAsync($"Found nothing about '{PlainText.Of(parsed.GetRequiredValue(address))}'.");
            }

            return !onlyCount || parsed.GetValue(dryRun)
                ? await context.ReportAsync(
                    parsed,
                    onlyCount ? $"Would {Planned(forgotten)}." : Done(forgotten),
                    ("deleted", forgotten.Deleted),
                    ("redacted", forgotten.Redacted),
                    ("indexRows", forgotten.IndexRows),
                    ("deadLetters", forgotten.DeadLetters),
                    ("blobs", forgotten.Blobs),
                    ("blobsLeft", forgotten.BlobsLeft))
                : throw new CommandFailedException(
                    $"This would {Planned(forgotten)} for good. Add --yes to forget the address.", ExitCode.WrongUsage);
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

    private static string Planned(Forgotten forgotten) =>
        $"delete {PlainText.Count(forgotten.Deleted, "event")} and redact {forgotten.Redacted:N0}, "
        + $"delete or redact {PlainText.Count(forgotten.DeadLetters, "dead letter")}, "
        + $"and delete {PlainText.Count(forgotten.IndexRows, "index row")} without an event and {forgotten.Blobs:N0} stored bodies";

    private static string Done(Forgotten forgotten) =>
        $"Deleted {PlainText.Count(forgotten.Deleted, "event")} and redacted {forgotten.Redacted:N0}. "
        + $"Deleted or redacted {PlainText.Count(forgotten.DeadLetters, "dead letter")}. "
        + $"Deleted {PlainText.Count(forgotten.IndexRows, "index row")} without an event and {forgotten.Blobs:N0} stored bodies."
        + (forgotten.BlobsLeft == 0
            ? string.Empty
            : $" Kept {forgotten.BlobsLeft:N0} stored bodies that may be in use: run this again when the queues are empty.");
}
