using System.CommandLine;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterDropCommand
{
    private const int MaxParallel = 16;

    public static Command Create(CommandContext context)
    {
        var command = new Command("drop", "Deletes dead letters for good: those named, or all with one reason.");
        var selection = new DeadLetterSelection(command, isOne: false);
        var confirmation = new Confirmation(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var isGiven = confirmation.IsGiven(parsed);
            var letters = await selection.FindAsync(context, parsed, cancellationToken);
            var count = isGiven
                ? await DropAsync(context, parsed, letters, cancellationToken)
                : await letters.CountAsync(cancellationToken);
            Figure figure = new("dropped", isGiven ? "Dead letters deleted" : "Dead letters to delete", count);
            return count == 0
                ? await context.NothingFoundAsync(DeadLetterSelection.NothingFound)
                : await confirmation.ReportAsync(context, parsed, [figure], cancellationToken);
        });
        return command;
    }

    private static async Task<long> DropAsync(
        CommandContext context, ParseResult parsed, IAsyncEnumerable<TableEntity> letters, CancellationToken cancellationToken)
    {
        var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
        var blobs = new WebhookBlobs(context.Blobs(parsed));
        var dropped = 0L;
        using var progress = new Progress(context, "dead letters");
        await Parallel.ForEachAsync(
            letters,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (letter, token) =>
            {
                // From now on nothing may refer to its bodies: the sweep has to look at them again.
                await DeadLetterBlobs.TouchAsync(letter, blobs, token);

                // Not found: somebody else has dropped it in the meantime, which is not a failure.
                using var answer = await table.DeleteEntityAsync(letter.PartitionKey, letter.RowKey, ETag.All, token);
                lock (progress)
                {
                    progress.Report(answer.IsError ? dropped : ++dropped);
                }
            });
        return dropped;
    }
}
