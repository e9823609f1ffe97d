using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.SelfHost;

/// <summary>Does what the Functions host's timer trigger does: calls a function on its schedule (six fields, UTC).</summary>
/// <param name="name">The function's name in the log.</param>
internal sealed partial class TimerPump(
    string name, string schedule, Func<CancellationToken, Task> function, TimeProvider time, ILogger logger) : BackgroundService
{
    private readonly CrontabSchedule crontab = CrontabSchedule.Parse(
        schedule, new CrontabSchedule.ParseOptions { IncludingSeconds = true });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var now = time.GetUtcNow();
                await Task.Delay(crontab.GetNextOccurrence(now.UtcDateTime) - now.UtcDateTime, time, stoppingToken);
                try
                {
                    await function(stoppingToken);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    Log.Failed(logger, name, StorageFailure.Describe(e).TrimEnd('.'));
                }
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while waiting or running. A run that was cut short runs again after the next start.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(410, LogLevel.Error, "{Function} failed: {Failure}. It will run again at its next scheduled time.")]
        public static partial void Failed(ILogger logger, string function, string failure);
    }
}
