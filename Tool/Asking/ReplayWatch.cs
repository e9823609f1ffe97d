using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

internal enum ReplayResult
{
    /// <summary>Its event is stored, and the dead letter is gone.</summary>
    Stored,

    /// <summary>It is still a dead letter, with a new reason or the same one.</summary>
    FailedAgain,

    /// <summary>Not yet tried when the time was up.</summary>
    Waiting,

    /// <summary>The text of a message went back into the queue; nobody can say what becomes of it.</summary>
    SentBack,

    /// <summary>It cannot be replayed, because its body is gone, or somebody dropped or forgot it in the meantime.</summary>
    Gone,
}

/// <param name="Detail">The email's id if it is stored; otherwise why it failed.</param>
internal sealed record ReplayOutcome(DeadLetterKey Key, ReplayResult Result, string Detail = "");

/// <summary>A dead letter that is in the queue again.</summary>
/// <param name="Version">The version of its row before the replay.</param>
/// <param name="Event">What its body says; null if it cannot be read.</param>
internal sealed record ReplayedLetter(DeadLetterKey Key, ETag Version, EmailEvent? Event);

/// <summary>Tells what becomes of replayed dead letters: a row is deleted when its event is stored, and rewritten if that fails.</summary>
internal sealed class ReplayWatch(TableServiceClient service, TimeProvider time)
{
    private const int MaxParallel = 16;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly TableClient letters = service.GetTableClient(DeadLetters.TableName);
    private readonly TableClient events = service.GetTableClient(EventStore.TableName);

    /// <summary>Each as soon as it is known, and at the end those that are still waiting.</summary>
    public async IAsyncEnumerable<ReplayOutcome> WatchAsync(
        IEnumerable<ReplayedLetter> replayed, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (waiting, started) = (replayed.ToList(), time.GetTimestamp());
        while (waiting.Count > 0)
        {
            var looks = new ReplayOutcome[waiting.Count];
            await Parallel.ForAsync(
                0,
                waiting.Count,
                new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                async (i, token) => looks[i] = await LookAsync(waiting[i], token));
            var isOver = time.GetElapsedTime(started) >= timeout;
            foreach (var outcome in looks.Where(outcome => isOver || outcome.Result != ReplayResult.Waiting))
            {
                yield return outcome;
            }

            waiting = isOver ? [] : [.. waiting.Where((_, i) => looks[i].Result == ReplayResult.Waiting)];
            await (waiting.Count > 0 ? Task.Delay(Interval, time, cancellationToken) : Task.CompletedTask);
        }
    }

    private async Task<ReplayOutcome> LookAsync(ReplayedLetter letter, CancellationToken cancellationToken)
    {
        var (day, row) = letter.Key;
        var there = await letters.GetEntityIfExistsAsync<TableEntity>(day, row, DeadLetter.Columns, cancellationToken);
        if (there.HasValue)
        {
            var now = DeadLetter.Of(there.Value!);
            return there.Value!.ETag == letter.Version
                ? new ReplayOutcome(letter.Key, ReplayResult.Waiting)
                : new ReplayOutcome(letter.Key, ReplayResult.FailedAgain, $"{now.Reason}: {now.Error}");
        }

        // Dropping or forgetting it deletes the row as well.
        return letter.Event is { } e
            && (await events.GetEntityIfExistsAsync<TableEntity>(
                EventKeys.PartitionKey(e), EventKeys.RowKey(e), ["PartitionKey"], cancellationToken)).HasValue
                ? new ReplayOutcome(letter.Key, ReplayResult.Stored, EventKeys.PartitionKey(e))
                : new ReplayOutcome(letter.Key, ReplayResult.Gone, "It was dropped or forgotten in the meantime.");
    }
}
