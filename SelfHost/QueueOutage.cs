using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.SelfHost;

/// <summary>Logs that a queue cannot be read, and why: at once, then once a minute, and again when it can be read.</summary>
internal sealed partial class QueueOutage(string queue, TimeProvider time, ILogger logger)
{
    private readonly OneLineAMinute lines = new(time);
    private bool isReported;

    public void Note(Exception failure)
    {
        if (lines.IsDue(queue, out _))
        {
            isReported = true;
            Log.NotReceived(logger, queue, StorageFailure.Describe(failure));
        }
    }

    public void Over()
    {
        if (isReported)
        {
            isReported = false;
            Log.ReceivedAgain(logger, queue);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            400,
            LogLevel.Error,
            "Cannot read queue {Queue}: {Failure}. The app keeps trying, and the messages in the queue are safe. Check the storage account "
            + "and the app's access to it (EventStorage).")]
        public static partial void NotReceived(ILogger logger, string queue, string failure);

        [LoggerMessage(405, LogLevel.Warning, "Queue {Queue} can be read again.")]
        public static partial void ReceivedAgain(ILogger logger, string queue);
    }
}
