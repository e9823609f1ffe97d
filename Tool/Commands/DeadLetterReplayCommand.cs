using System.CommandLine;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterReplayCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command(
            "replay",
            "Puts dead letters back into the queue. A row is deleted when its event is stored, and updated if that fails again.");
        var selection = new DeadLetterSelection(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // Read to the end first: a replay that fails at once comes back as the same row.
            var letters = await selection.FindAsync(context, parsed, cancellationToken).ToListAsync(cancellationToken);
            if (letters.Count == 0)
            {
                return await context.NothingFoundAsync(DeadLetterSelection.NothingFound);
            }

            var (replayed, gone) = await ReplayAsync(context, parsed, letters, cancellationToken);
            return await context.ReportAsync(
                parsed,
                $"Replayed {PlainText.Count(replayed, "dead letter")}. Skipped {gone:N0} whose body is gone.",
                ("replayed", replayed),
                ("gone", gone));
        });
        return command;
    }

    private static async Task<(long Replayed, long Gone)> ReplayAsync(
        CommandContext context, ParseResult parsed, List<TableEntity> letters, CancellationToken cancellationToken)
    {
        await using var services = context.Services(parsed);
        using var progress = new Progress(context, "dead letters");
        var (deadLetters, queue) = (services.GetRequiredService<DeadLetters>(), services.GetRequiredService<WebhookQueue>());
        var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
        var (replayed, gone) = (0L, 0L);
        foreach (var key in letters)
        {
            var letter = await table.GetEntityIfExistsAsync<TableEntity>(
                key.PartitionKey, key.RowKey, cancellationToken: cancellationToken);
            if (letter.HasValue && await deadLetters.ReplayAsync(letter.Value!, queue, cancellationToken))
            {
                progress.Report(++replayed);
            }
            else
            {
                gone++;
            }
        }

        return (replayed, gone);
    }
}
