namespace Smtp2GoIngest.Reconciling;

/// <summary>
/// Keeps every try of a call a little apart from the one before, so that there are never more than 60 in any minute, and gives each its
/// time: SMTP2GO allows 60 calls of <c>/activity/search</c> a minute.
/// </summary>
internal sealed class Smtp2GoPace(TimeProvider time) : DelegatingHandler
{
    /// <summary>58 in a minute at most. The rest is for tries that were held up on the way and arrive closer together.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(1.05);

    /// <summary>A page of 1,000 events took SMTP2GO's own clients seconds; whoever needs a minute will not answer at all.</summary>
    public static readonly TimeSpan TryTimeout = TimeSpan.FromMinutes(1);

    // 1,000 events with a thousand recipients each would have about 40 MB.
    private const long MaxAnswerBytes = 64 * 1024 * 1024;

    private readonly Lock turn = new();
    private readonly long began = time.GetTimestamp();
    private TimeSpan next;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        using var limit = new CancellationTokenSource(TryTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        HttpResponseMessage? answer = null;
        try
        {
            answer = await base.SendAsync(request, either.Token);
            await answer.Content.LoadIntoBufferAsync(MaxAnswerBytes, either.Token);
            return answer;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            answer?.Dispose();
            throw new TimeoutException();
        }
        catch
        {
            answer?.Dispose();
            throw;
        }
    }

    private Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (turn)
        {
            var now = time.GetElapsedTime(began);
            var mine = next > now ? next : now;
            next = mine + Apart;
            wait = mine - now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, time, cancellationToken) : Task.CompletedTask;
    }
}
