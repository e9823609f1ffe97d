using System.Collections.Concurrent;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Thins out log lines that could come with every request, message or poll, so that a storm does not fill the log.</summary>
internal sealed class OneLineAMinute(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Repeated> lines = new(StringComparer.Ordinal);

    /// <summary>Counts one more. The first is due at once, then at most one a minute.</summary>
    /// <param name="kind">Each kind is counted separately; never a text that a sender chooses.</param>
    /// <param name="count">How many the line stands for: those since the last one, including this one.</param>
    public bool IsDue(string kind, out long count)
    {
        var line = lines.GetOrAdd(kind, static _ => new Repeated());
        lock (line)
        {
            count = ++line.Count;
            if (line.Written is { } written && time.GetElapsedTime(written) < Interval)
            {
                return false;
            }

            (line.Count, line.Written) = (0, time.GetTimestamp());
            return true;
        }
    }

    private sealed class Repeated
    {
        public long Count { get; set; }

        public long? Written { get; set; }
    }
}
