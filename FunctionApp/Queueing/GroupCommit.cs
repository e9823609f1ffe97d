using System.Diagnostics.CodeAnalysis;

namespace Smtp2GoIngest.Queueing;

/// <summary>
/// Sends entries in as few messages as they fit into: what arrives while a send is under way shares the next one, and a lone entry is sent at
/// once. Nothing waits for a timer.
/// </summary>
/// <param name="send">Sends one message of entries; a failure is the failure of each of them.</param>
/// <param name="metrics">Told how many entries share a message.</param>
internal sealed class GroupCommit(Func<List<byte[]>, CancellationToken, Task> send, IngestMetrics metrics)
{
    /// <summary>How many sends run side by side.</summary>
    public const int MaxSends = 2;

    /// <summary>The most bytes of entries that may wait; past it the next one is refused at once instead of after its time-out.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    // Longer than anybody waits for it: SMTP2GO hangs up after 10 s.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly LinkedList<Entry> waiting = new();
    private long waitingBytes;
    private int sends;

    /// <summary>Returns when the message that carries the entry is sent.</summary>
    /// <param name="encoded">The entry.</param>
    /// <param name="cancellationToken">Ends the wait; an entry that is not under way yet is not sent then.</param>
    /// <exception cref="QueueOverloadedException">Too much waits already.</exception>
    public async Task AddAsync(byte[] encoded, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var node = new LinkedListNode<Entry>(new Entry(encoded));
        lock (gate)
        {
            if (waitingBytes + encoded.Length > MaxWaitingBytes)
            {
                throw new QueueOverloadedException();
            }

            waiting.AddLast(node);
            waitingBytes += encoded.Length;
            if (sends < MaxSends)
            {
                sends++;

                // Not in the context of the request that happens to come first: the loop outlives it.
                using (ExecutionContext.SuppressFlow())
                {
                    _ = Task.Run(SendAllAsync, CancellationToken.None);
                }
            }
        }

        try
        {
            await node.Value.Sent.Task.WaitAsync(cancellationToken);
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
                waitingBytes -= node.Value.Encoded.Length;
            }
        }
    }

    private async Task SendAllAsync()
    {
        while (TryTake(out var batch))
        {
            try
            {
                using var timeout = new CancellationTokenSource(SendTimeout);
                metrics.Batched(batch.Count);
                await send([.. batch.Select(entry => entry.Encoded)], timeout.Token);
                batch.ForEach(entry => entry.Sent.TrySetResult());
            }
            catch (Exception e)
            {
                batch.ForEach(entry => entry.Sent.TrySetException(e));
            }
        }
    }

    private bool TryTake([NotNullWhen(true)] out List<Entry>? batch)
    {
        lock (gate)
        {
            batch = [];
            var bytes = Envelope.EmptyBytes;
            while (waiting.First is { } next && bytes + next.Value.Encoded.Length + 1 <= Envelope.MaxMessageBytes)
            {
                waiting.RemoveFirst();
                waitingBytes -= next.Value.Encoded.Length;
                bytes += next.Value.Encoded.Length + 1;
                batch.Add(next.Value);
            }

            sends -= batch.Count == 0 ? 1 : 0;
            return batch.Count > 0;
        }
    }

    private sealed class Entry(byte[] encoded)
    {
        public byte[] Encoded => encoded;

        public TaskCompletionSource Sent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>More webhooks wait for the queue than memory is set aside for.</summary>
public sealed class QueueOverloadedException() : InvalidOperationException("Too many webhooks wait for the queue.");
