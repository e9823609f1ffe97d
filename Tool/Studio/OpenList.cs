namespace Smtp2GoIngest.Tool.Studio;

/// <summary>A list on a page that can read more. It gives up after a while, and stops when it is closed.</summary>
internal sealed class OpenList(Func<CancellationToken, Task> readMore, TimeProvider time, Action changed) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource closed = new();

    public bool IsReading { get; private set; }

    /// <summary>Why the last read failed.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Does nothing while it is reading already.</summary>
    public async Task ReadMoreAsync()
    {
        if (IsReading || closed.IsCancellationRequested)
        {
            return;
        }

        (IsReading, Failure) = (true, null);
        changed();
        Failure = await TryAsync(readMore);
        IsReading = false;
        if (!closed.IsCancellationRequested)
        {
            changed();
        }
    }

    /// <returns>Why it failed; null if it did not.</returns>
    public async Task<Exception?> TryAsync(Func<CancellationToken, Task> ask)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, timeout.Token);
            await ask(either.Token);
            return null;
        }
        catch (Exception e)
        {
            return e is OperationCanceledException ? new TimeoutException() : e;
        }
    }

    public void Dispose()
    {
        closed.Cancel();
        closed.Dispose();
    }
}
