using System.CommandLine;
using Azure;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterDropCommand
{
    private const int MaxParallel = 16;

    public static Command Create(CommandContext context)
    {
        var command = new Command("drop", "Deletes dead letters for good: those named, or all of one reason.");
        var selection = new DeadLetterSelection(command);
        var yes = new Option<bool>("--yes") { Description = "Delete them; without it they are only counted." };
        command.Add(yes);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (!parsed.GetValue(yes))
            {
                var found = await selection.FindAsync(context, parsed, cancellationToken).CountAsync(cancellationToken);
                return found == 0
                    ? await context.NothingFoundAsync(DeadLetterSelection.NothingFound)
                    : throw new CommandFailedException(
                        $"This would delete {PlainText.Count(found, "dead letter")} for good. Add --yes to delete.", ExitCode.WrongUsage);
            }

            var dropped = await DropAsync(context, parsed, selection, cancellationToken);
            return dropped == 0
                ? await context.NothingFoundAsync(DeadLetterSelection.NothingFound)
                : await context.ReportAsync(parsed, $"Deleted {PlainText.Count(dropped, "dead letter")}.", ("dropped", dropped));
        });
        return command;
    }

    private static async Task<long> DropAsync(
        CommandContext context, ParseResult parsed, DeadLetterSelection selection, CancellationToken cancellationToken)
    {
        var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
        var blobs = new WebhookBlobs(context.Blobs(parsed));
        var dropped = 0L;
        using var progress = new Progress(context, "dead letters");
        await Parallel.ForEachAsync(
            selection.FindAsync(context, parsed, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (letter, token) =>
            {
                // From now on nothing may refer to its bodies: the sweep has to look at them again.
                await DeadLetterBlobs.TouchAsync(letter, blobs, token);

                // Not found: somebody else has dropped it meanwhile, which is no failure.
                using var answer = await table.DeleteEntityAsync(letter.PartitionKey, letter.RowKey, ETag.All, token);
                lock (progress)
                {
                    progress.Report(answer.IsError ? dropped : ++dropped);
                }
            });
        return dropped;
    }
}
