using System.Globalization;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace Smtp2GoIngest.Queueing;

/// <summary>One look at a queue: how many messages are waiting in it, and for how long.</summary>
/// <remarks>
/// A hidden message, for example between two tries, cannot be peeked, and any instance may take the next look. So the time of the oldest
/// known message is kept in the queue's own metadata.
/// </remarks>
internal sealed class QueueLook
{
    private const int MostPeeked = 32;

    private readonly QueueClient queue;
    private readonly IDictionary<string, string> metadata;
    private readonly DateTimeOffset now;

    private QueueLook(QueueClient queue, Response<QueueProperties> answer, PeekedMessage[] visible)
    {
        (this.queue, metadata, Depth) = (queue, answer.Value.Metadata, answer.Value.ApproximateMessagesCount);
        now = StorageClock.TimeOf(answer.GetRawResponse());
        AllHidden = Depth > 0 && visible.Length == 0;
        Oldest = AllHidden ? Marked : visible.Min(message => message.InsertedOn);
    }

    /// <summary>The name in the queue's metadata.</summary>
    internal const string Mark = "oldestmessage";

    /// <summary>How many messages there are, including hidden ones.</summary>
    public int Depth { get; }

    public bool AllHidden { get; }

    /// <summary>How old the oldest known message is, by storage's own clock; null if none has been seen yet.</summary>
    public TimeSpan? Age => Depth == 0 ? TimeSpan.Zero : now - Oldest;

    private DateTimeOffset? Oldest { get; }

    /// <summary>Whether every message came after a time; false if that is not known.</summary>
    public bool IsAllAfter(DateTimeOffset time) => Depth == 0 || (Oldest > time && !(Marked <= time));

    private DateTimeOffset? Marked =>
        metadata.TryGetValue(Mark, out var text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <exception cref="RequestFailedException">Storage failed, or the queue does not exist.</exception>
    public static async Task<QueueLook> AtAsync(QueueClient queue, CancellationToken cancellationToken)
    {
        var answer = await queue.GetPropertiesAsync(cancellationToken);
        var visible = answer.Value.ApproximateMessagesCount == 0
            ? []
            : (await queue.PeekMessagesAsync(MostPeeked, cancellationToken)).Value;
        return new QueueLook(queue, answer, visible);
    }

    /// <summary>Keeps what the next look needs to know; writes only if that has changed.</summary>
    /// <remarks>The age of messages that nobody has seen yet counts from now.</remarks>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset? mark = Depth == 0 ? null : Oldest ?? now;
        if (mark == Marked)
        {
            return;
        }

        // The call replaces all metadata.
        var kept = metadata.Where(pair => !pair.Key.Equals(Mark, StringComparison.OrdinalIgnoreCase)).ToDictionary();
        if (mark is { } time)
        {
            kept[Mark] = time.ToString("O", CultureInfo.InvariantCulture);
        }

        await queue.SetMetadataAsync(kept, cancellationToken);
    }
}
