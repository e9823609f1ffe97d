using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.SelfHost;

/// <summary>Does for one function what the Functions host's timer trigger does: calls it whenever its schedule (six fields, UTC) says so.</summary>
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
                    Log.Failed(logger, name, StorageFailure.Describe(e));
                }
            }
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // The end, whether it waited or ran; what was cut short runs again after the next start.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(410, LogLevel.Error, "{Function} failed: {Failure}. It runs again when its schedule says so.")]
        public static partial void Failed(ILogger logger, string function, string failure);
    }
}
