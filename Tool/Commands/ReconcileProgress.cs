using System.Runtime.CompilerServices;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Shows how far a reconciliation is, and whether it waits for SMTP2GO.</summary>
internal static class ReconcileProgress
{
    // An hour with many events, or a wait, takes longer than anybody should look at the same line.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <summary>The same slices.</summary>
    /// <param name="result">Each slice is added to it when it comes.</param>
    public static async IAsyncEnumerable<ReconciledSlice> ShowAsync(
        CommandContext context,
        IAsyncEnumerable<ReconciledSlice> slices,
        ReconcileResult result,
        Smtp2GoAnswers answers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        using var progress = new Progress(
            context, "hours", _ => Describe(result, result.Left(context.Time.GetElapsedTime(started)), answers));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var reader = slices.GetAsyncEnumerator(stop.Token);
        var next = Task.FromResult(true);
        try
        {
            while (true)
            {
                next = reader.MoveNextAsync().AsTask();
                while (context.IsInteractive && !next.IsCompleted)
                {
                    await Task.WhenAny(next, Task.Delay(Tick, context.Time, CancellationToken.None));
                    progress.Report(result.Hours);
                }

                if (!await next)
                {
                    yield break;
                }

                result.Add(reader.Current);
                progress.Report(result.Hours);
                yield return reader.Current;
            }
        }
        finally
        {
            // A reader must have ended before it can be closed.
            await stop.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The count of calls moves where an hour takes many.
    private static string Describe(ReconcileResult result, TimeSpan? left, Smtp2GoAnswers answers) =>
        $" of {PlainText.Number(result.HoursInAll)}, {PlainText.Number(result.Books.Total.Missing)} missing, "
        + (answers.Trouble is { } trouble
            ? $"waiting: {trouble}"
            : PlainText.Count(answers.Calls, "call") + (left is { } time ? $", about {TimeText.Of(time)} left" : null));
}
