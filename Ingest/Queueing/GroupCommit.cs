using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>Sends entries in as few messages as possible.</summary>
/// <remarks>A lone entry is sent at once. Entries that arrive while a send is under way share the next message.</remarks>
/// <param name="send">Sends one message; if it fails, every entry in it fails.</param>
internal sealed class GroupCommit(Func<byte[][], CancellationToken, Task> send, IngestMetrics metrics, TimeProvider time)
{
    /// <summary>How many sends may run in parallel, not counting slow ones.</summary>
    /// <remarks>A second one begins when as many entries are waiting as the first one carries: docs/performance.md.</remarks>
    public const int MaxSends = 2;

    /// <summary>How many sends may run in parallel, including slow ones: nobody waits behind one that hangs.</summary>
    public const int MaxSendsWithSlow = 8;

    /// <summary>The most bytes that may wait. Past that, an entry is refused at once instead of after its time-out.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    // Ten times what a send usually takes.
    internal static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(250);

    // Nobody waits longer than this: SMTP2GO hangs up after 10 s.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    private static readonly int MessageRoom = Envelope.MaxMessageBytes - Envelope.EmptyBytes;

    private readonly Lock gate = new();
    private readonly LinkedList<Entry> waiting = new();
    private readonly List<Batch> underWay = [];
    private long waitingBytes;
    private bool isWatched;

    /// <summary>Returns when the message that carries the entry has been sent.</summary>
    /// <param name="room">How many bytes the entry counts for in a message; at least its length.</param>
    /// <param name="cancellationToken">Ends the wait. The entry is not sent unless its send has already begun.</param>
    /// <exception cref="QueueOverloadedException">Too much is waiting already.</exception>
    public async Task AddAsync(byte[] encoded, int room, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var node = new LinkedListNode<Entry>(new Entry(encoded, room));
        Batch? batch;
        lock (gate)
        {
            if (waitingBytes + node.Value.Bytes > MaxWaitingBytes)
            {
                throw new QueueOverloadedException();
            }

            waiting.AddLast(node);
            waitingBytes += node.Value.Bytes;
            batch = Take();
        }

        // Sent by the request itself, so that a lone one does not switch threads.
        var sending = batch is null ? Task.CompletedTask : SendAsync(batch);
        try
        {
            await (batch is not null && node.Value.Batch == batch ? sending : node.Value.Sent.Task).WaitAsync(cancellationToken);
            await node.Value.Sent.Task;
        }
        finally
        {
            Leave(node);
        }
    }

    private void Leave(LinkedListNode<Entry> node)
    {
        lock (gate)
        {
            if (node.List is not null)
            {
                waiting.Remove(node);
                waitingBytes -= node.Value.Bytes;
            }
            else if (node.Value.Batch is { IsOver: false } batch && --batch.Waiters == 0)
            {
                // Nobody waits for this send any more, and nobody else should wait behind it.
                _ = batch.Timeout.CancelAsync();
            }
        }
    }

    /// <summary>Sends a batch, completes its entries and starts the next one. Never throws.</summary>
    private async Task SendAsync(Batch batch)
    {
        try
        {
            metrics.Batched(batch.Entries.Count);
            await send([.. batch.Entries.Select(entry => entry.Encoded)], batch.Timeout.Token);
            batch.Entries.ForEach(entry => entry.Sent.TrySetResult());
        }
        catch (Exception e)
        {
            batch.Entries.ForEach(entry => entry.Sent.TrySetException(e));
        }

        Batch? next;
        lock (gate)
        {
            batch.IsOver = true;
            batch.Timeout.Dispose();
            underWay.Remove(batch);
            next = Take();
        }

        if (next is not null)
        {
            // Outside this request: it must not delay the answer or run in the request's context.
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(() => SendAsync(next), CancellationToken.None);
            }
        }
    }

    /// <summary>Takes what fits into one message; null if no send may begin now.</summary>
    private Batch? Take()
    {
        var batch = MayBegin(out var due) ? TakeMessage() : null;
        if (waiting.Count > 0 && !isWatched && (due ?? (batch is null ? null : Slow)) is { } whenSlow)
        {
            isWatched = true;
            using (ExecutionContext.SuppressFlow())
            {
                _ = TakeWhenSlowAsync(whenSlow);
            }
        }

        return batch;
    }

    // While a send runs, entries gather into a large message. Many of them justify a second send. A slow send holds up nobody.
    private bool MayBegin(out TimeSpan? untilNextIsSlow)
    {
        untilNextIsSlow = null;
        var (fresh, isLarger) = (0, false);
        foreach (var batch in underWay)
        {
            if (Slow - time.GetElapsedTime(batch.Begun) is { Ticks: > 0 } left)
            {
                fresh++;
                isLarger |= waiting.Count < batch.Entries.Count;
                untilNextIsSlow = untilNextIsSlow < left ? untilNextIsSlow : left;
            }
        }

        return waiting.Count > 0 && !isLarger && fresh < MaxSends && underWay.Count < MaxSendsWithSlow;
    }

    /// <summary>Begins a send when one that is under way becomes slow: there may be no later entry to begin it.</summary>
    private async Task TakeWhenSlowAsync(TimeSpan whenSlow)
    {
        // A delay is cut to whole milliseconds, and one of zero would continue at once, inside the lock.
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(whenSlow.TotalMilliseconds)), time);
        Batch? batch;
        lock (gate)
        {
            isWatched = false;
            batch = Take();
        }

        if (batch is not null)
        {
            await SendAsync(batch);
        }
    }

    private Batch TakeMessage()
    {
        var entries = new List<Entry>();
        var bytes = 0;
        while (waiting.First is { } next && bytes + next.Value.Bytes <= MessageRoom)
        {
            waiting.RemoveFirst();
            waitingBytes -= next.Value.Bytes;
            bytes += next.Value.Bytes;
            entries.Add(next.Value);
        }

        var taken = new Batch(entries, time.GetTimestamp());
        underWay.Add(taken);
        return taken;
    }

    private sealed class Entry(byte[] encoded, int room)
    {
        public byte[] Encoded => encoded;

        /// <summary>Its share of a message, including the comma.</summary>
        public int Bytes => room + 1;

        public TaskCompletionSource Sent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Null while the entry is waiting.</summary>
        public Batch? Batch { get; set; }
    }

    /// <summary>The entries of one message.</summary>
    private sealed class Batch
    {
        public Batch(List<Entry> entries, long begun)
        {
            (Entries, Begun, Waiters) = (entries, begun, entries.Count);
            entries.ForEach(entry => entry.Batch = this);
        }

        public List<Entry> Entries { get; }

        public long Begun { get; }

        public CancellationTokenSource Timeout { get; } = new(SendTimeout);

        /// <summary>How many entries somebody still waits for.</summary>
        public int Waiters { get; set; }

        public bool IsOver { get; set; }
    }
}
