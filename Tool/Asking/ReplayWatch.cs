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

    /// <summary>It cannot be replayed: its body is gone.</summary>
    BodyGone,

    /// <summary>Somebody dropped or forgot it in the meantime.</summary>
    Dropped,
}

/// <param name="Detail">The email's id if it is stored; otherwise why it failed.</param>
internal sealed record ReplayOutcome(DeadLetterKey Key, ReplayResult Result, string Detail = "")
{
    public static ReplayOutcome Dropped(DeadLetterKey key) =>
        new(key, ReplayResult.Dropped, "It was dropped or forgotten in the meantime.");
}

/// <summary>A dead letter that is in the queue again.</summary>
/// <param name="Version">The version of its row before the replay.</param>
/// <param name="EventPartition">The keys of the event that its body becomes; null if it cannot be read.</param>
internal sealed record ReplayedLetter(DeadLetterKey Key, ETag Version, string? EventPartition, string? EventRow)
{
    public static ReplayedLetter Of(DeadLetterKey key, ETag version, EmailEvent? e) => e is null
        ? new ReplayedLetter(key, version, null, null)
        : new ReplayedLetter(key, version, EventKeys.PartitionKey(e), EventKeys.RowKey(e));
}

/// <summary>Tells what becomes of replayed dead letters: a row is deleted when its event is stored, and rewritten if that fails.</summary>
internal sealed class ReplayWatch(TableServiceClient service, TimeProvider time)
{
    private const int MaxParallel = 16;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly TableClient letters = service.GetTableClient(DeadLetters.TableName);
    private readonly TableClient events = service.GetTableClient(EventStore.TableName);

    /// <summary>Each when it is known, and at the end those that are still waiting.</summary>
    /// <remarks>If storage fails, it throws after what it found out until then.</remarks>
    public async IAsyncEnumerable<ReplayOutcome> WatchAsync(
        IEnumerable<ReplayedLetter> replayed, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var waiting = replayed.ToList();
        using var timer = new CancellationTokenSource(timeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        while (waiting.Count > 0)
        {
            var looks = new ReplayOutcome?[waiting.Count];
            var round = Parallel.ForAsync(
                0,
                waiting.Count,
                new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = ended.Token },
                async (i, token) => looks[i] = await LookAsync(waiting[i], token));
            await round.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var outcome in looks.OfType<ReplayOutcome>())
            {
                yield return outcome;
            }

            waiting = [.. waiting.Where((_, i) => looks[i] is null)];
            if (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                break;
            }

            await round;
            await (waiting.Count == 0
                ? Task.CompletedTask
                : Task.Delay(Interval, time, ended.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (var letter in waiting)
        {
            yield return new ReplayOutcome(letter.Key, ReplayResult.Waiting);
        }
    }

    /// <returns>Null while it is waiting.</returns>
    private async Task<ReplayOutcome?> LookAsync(ReplayedLetter letter, CancellationToken cancellationToken)
    {
        var (day, row) = letter.Key;
        var there = await letters.GetEntityIfExistsAsync<TableEntity>(day, row, DeadLetter.Columns, cancellationToken);
        if (there.HasValue)
        {
            var now = DeadLetter.Of(there.Value!);
            return there.Value!.ETag == letter.Version
                ? null
                : new ReplayOutcome(letter.Key, ReplayResult.FailedAgain, $"{now.Reason}: {now.Error}");
        }

        // Dropping or forgetting it deletes the row as well.
        return letter is { EventPartition: { } partition, EventRow: { } eventRow }
            && (await events.GetEntityIfExistsAsync<TableEntity>(partition, eventRow, ["PartitionKey"], cancellationToken)).HasValue
                ? new ReplayOutcome(letter.Key, ReplayResult.Stored, partition)
                : ReplayOutcome.Dropped(letter.Key);
    }
}
