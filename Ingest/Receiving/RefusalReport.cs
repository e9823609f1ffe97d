using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Receiving;

/// <summary>Logs refusals.</summary>
/// <remarks>Per reason, the first at once and then one line a minute at most, so that a flood does not fill the log.</remarks>
public sealed partial class RefusalReport(TimeProvider time, ILogger<RefusalReport> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Tally> tallies = new(StringComparer.Ordinal);

    /// <param name="reason">One of our own, never a text from the sender.</param>
    /// <param name="hint">What to check.</param>
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
        [LoggerMessage(100, LogLevel.Warning, "Refused {Count} requests since the last such warning, with {Status} ({Reason}). {Hint}")]
        public static partial void Refused(ILogger logger, long count, int status, string reason, string hint);
    }
}
