using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Receiving;

/// <summary>Warns of refusals, for each reason at once and then at most once a minute: a flood of them must not become a flood of logs.</summary>
/// <param name="time">The clock.</param>
/// <param name="logger">Where the warnings go.</param>
public sealed partial class RefusalReport(TimeProvider time, ILogger<RefusalReport> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Tally> tallies = new(StringComparer.Ordinal);

    /// <summary>Notes one refusal.</summary>
    /// <param name="reason">A reason of our own, never a text of the sender's.</param>
    /// <param name="status">The answer.</param>
    /// <param name="hint">What may help to set it right.</param>
    public void Note(string reason, int status, string hint)
    {
        var tally = tallies.GetOrAdd(reason, static _ => new Tally());
        long count;
        lock (tally)
        {
            tally.Count++;
            var now = time.GetUtcNow();
            if (now - tally.LastWarning < Interval)
            {
                return;
            }

            (count, tally.Count, tally.LastWarning) = (tally.Count, 0, now);
        }

        Log.Refused(logger, count, status, reason, hint);
    }

    private sealed class Tally
    {
        public long Count { get; set; }

        public DateTimeOffset LastWarning { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(100, LogLevel.Warning, "Refused {Count} requests since the last such warning with {Status}, {Reason}: {Hint}")]
        public static partial void Refused(ILogger logger, long count, int status, string reason, string hint);
    }
}
