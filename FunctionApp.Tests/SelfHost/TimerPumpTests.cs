using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests.SelfHost;

public sealed class TimerPumpTests
{
    // Other tests have no timers: they follow the real clock.
    [Fact]
    public async Task Each_timer_of_the_app_can_be_made()
    {
        await using var app = SelfHostedApp.Build(
            [],
            [
                new("EventStorage", "UseDevelopmentStorage=true"),
                new("Webhook:Username", "u"),
                new("Webhook:Password", "right-horse-battery-staple"),
            ]);

        Assert.Equal(4, app.Services.GetServices<IHostedService>().OfType<TimerPump>().Count());
    }

    [Fact]
    public async Task A_function_runs_when_its_schedule_says_so_even_after_it_failed()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 2, 11, 20, 30, TimeSpan.Zero));
        var runs = new List<DateTimeOffset>();
        using var pump = new TimerPump(
            "Timed",
            "0 * * * * *",
            _ =>
            {
                runs.Add(time.GetUtcNow());
                throw new InvalidOperationException();
            },
            time,
            NullLogger.Instance);

        await pump.StartAsync(Test.Token);
        for (var second = 0; second < 120; second++)
        {
            await Task.Delay(5, Test.Token);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await Eventually.Get(() => Task.FromResult(runs.Count), count => count == 2);
        await pump.StopAsync(Test.Token);

        Assert.Equal(["11:21", "11:22"], runs.Select(run => run.ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task Stopping_it_while_it_waits_or_runs_is_not_a_failure(int seconds)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 2, 11, 20, 30, TimeSpan.Zero));
        var isRunning = false;
        var pump = new TimerPump(
            "Timed",
            "0 * * * * *",
            async cancellationToken =>
            {
                isRunning = true;
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            },
            time,
            NullLogger.Instance);
        await pump.StartAsync(Test.Token);
        await Task.Delay(50, Test.Token);
        time.Advance(TimeSpan.FromSeconds(seconds));
        await Eventually.Get(() => Task.FromResult(isRunning), running => running == seconds > 0);

        pump.Dispose();

        await pump.ExecuteTask!.WaitAsync(Test.Patience, Test.Token);
    }
}
