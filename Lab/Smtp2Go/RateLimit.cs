namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>So many calls in any minute, and not one more.</summary>
internal sealed class RateLimit(int calls, TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Queue<DateTimeOffset> taken = new();

    /// <returns>Zero if the call may be made; otherwise the time until the next one may.</returns>
    public TimeSpan Take()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            while (taken.TryPeek(out var first) && now - first >= Minute)
            {
                taken.Dequeue();
            }

            if (taken.Count >= calls)
            {
                return taken.Peek() + Minute - now;
            }

            taken.Enqueue(now);
            return TimeSpan.Zero;
        }
    }
}
