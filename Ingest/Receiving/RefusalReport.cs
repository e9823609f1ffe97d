using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Receiving;

/// <summary>Logs refusals.</summary>
/// <remarks>For each reason, the first at once and then at most one line a minute, so that a flood does not fill the log.</remarks>
public sealed partial class RefusalReport(TimeProvider time, ILogger<RefusalReport> logger)
{
    private readonly OneLineAMinute lines = new(time);

    /// <param name="reason">One of our own, never a text from the sender.</param>
    /// <param name="hint">What to check.</param>
    /// <param name="level">Error if the fault is ours.</param>
    public void Note(string reason, int status, string hint, LogLevel level = LogLevel.Warning)
    {
        // By level too: a caller who hangs up must not hide for a minute that storage is down.
        if (lines.IsDue($"{level} {reason}", out var count))
        {
            Log.Refused(logger, level, count, status, reason, hint);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 100, Message = "Refused {Count} requests since the last such line, with {Status} ({Reason}). {Hint}")]
        public static partial void Refused(ILogger logger, LogLevel level, long count, int status, string reason, string hint);
    }
}
