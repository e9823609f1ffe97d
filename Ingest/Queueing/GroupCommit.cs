using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Queueing;

/// <summary>
/// Sends entries in as few messages as they fit into: what arrives while a send is under way shares the next one, and a lone entry is sent at
/// once. Nothing waits for a timer.
/// </summary>
/// <param name="send">Sends one message of entries; a failure is the failure of each of them.</param>
/// <param name="metrics">Told how many entries share a message.</param>
/// <param name="time">Tells when a send is slow.</param>
internal sealed class GroupCommit(Func<byte[][], CancellationToken, Task> send, IngestMetrics metrics, TimeProvider time)
{
    /// <summary>How many sends run side by side. A second one begins when as many entries wait as the first one carries, or when that one is slow: docs/performance.md.</summary>
    public const int MaxSends = 2;

    /// <summary>The most bytes of entries that may wait; past it the next one is refused at once instead of after its time-out.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    // Longer than anybody waits for it: SMTP2GO hangs up after 10 s.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    // Ten times what the queue takes as a rule.
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(250);

    private static readonly int MessageRoom = Envelope.MaxMessageBytes - Envelope.EmptyBytes;

    private readonly Lock gate = new();
    private readonly LinkedList<Entry> waiting = new();
    private readonly List<Batch> underWay = [];
    private long waitingBytes;

    /// <summary>Returns when the message that carries the entry is sent.</summary>
    /// <param name="encoded">The entry.</param>
    /// <param name="room">How many bytes of a message it is counted as, no fewer than it has.</param>
    /// <param name="cancellationToken">Ends the wait; an entry that is not under way yet is not sent then.</param>
    /// <exception cref="QueueOverloadedException">Too much waits already.</exception>
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

        // By the request itself, so that a lone one changes no thread before its answer.
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
                // Nobody waits for it any more, and whoever comes now must not wait behind it.
                _ = batch.Timeout.CancelAsync();
            }
        }
    }

    /// <summary>Sends a batch and tells its entries, then has the next one sent. Throws nothing.</summary>
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
            // Neither in the way of this request's answer nor in its context.
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(() => SendAsync(next), CancellationToken.None);
            }
        }
    }

    /// <summary>Takes what fits into a message if one may be sent now; else nothing.</summary>
    private Batch? Take()
    {
        // Behind a single send large messages gather; many waiting ones are worth a second, and nobody waits behind one that hangs.
        if (waiting.Count == 0
            || underWay.Count == MaxSends
            || underWay.Exists(batch => waiting.Count < batch.Entries.Count && time.GetElapsedTime(batch.Begun) < Slow))
        {
            return null;
        }

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

        /// <summary>What it takes of a message, with the comma.</summary>
        public int Bytes => room + 1;

        public TaskCompletionSource Sent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The one that carries it; null while it waits.</summary>
        public Batch? Batch { get; set; }
    }

    /// <summary>The entries of one message.</summary>
    private sealed class Batch
    {
        public Batch(List<Entry> entries, long begun)
        {
            (Entries, Begun) = (entries, begun);
            Waiters = entries.Count;
            entries.ForEach(entry => entry.Batch = this);
        }

        public List<Entry> Entries { get; }

        /// <summary>A time stamp of the clock.</summary>
        public long Begun { get; }

        public CancellationTokenSource Timeout { get; } = new(SendTimeout);

        /// <summary>How many of them somebody still waits for.</summary>
        public int Waiters { get; set; }

        public bool IsOver { get; set; }
    }
}

/// <summary>More webhooks wait for the queue than memory is set aside for.</summary>
public sealed class QueueOverloadedException() : InvalidOperationException("Too many webhooks wait for the queue.");
