namespace Smtp2GoIngest.Lab;

/// <summary>A clock that runs faster than the machine's: a minute's wait takes 0.6 s at a speed of 100. Its timers are as fast.</summary>
/// <param name="start">What it shows first.</param>
/// <param name="speed">Its seconds in one second of the machine's clock.</param>
public sealed class ScaledTime(DateTimeOffset start, double speed) : TimeProvider
{
    private readonly long began = System.GetTimestamp();

    public override long TimestampFrequency => System.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => start + GetElapsedTime(0);

    public override long GetTimestamp() => (long)((System.GetTimestamp() - began) * speed);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ScaledTimer(this, callback, state, dueTime, period);

    // Whole milliseconds, or a short wait would be none.
    private TimeSpan ToReal(TimeSpan time) => time <= TimeSpan.Zero
        ? time
        : TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds / speed));

    /// <summary>May be late, but never early: the machine's timers go by a clock that may be ten milliseconds behind.</summary>
    private sealed class ScaledTimer : ITimer
    {
        private readonly ScaledTime clock;
        private readonly TimerCallback callback;
        private readonly object? state;
        private readonly Lock gate = new();
        private readonly ITimer timer;
        private TimeSpan due;
        private TimeSpan period;

        public ScaledTimer(ScaledTime clock, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (this.clock, this.callback, this.state) = (clock, callback, state);
            timer = System.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Change(dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (gate)
            {
                (due, this.period) = (clock.GetElapsedTime(0) + dueTime, period);
                return timer.Change(clock.ToReal(dueTime), Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();

        private void Tick()
        {
            lock (gate)
            {
                if (due - clock.GetElapsedTime(0) is { Ticks: > 0 } left)
                {
                    timer.Change(clock.ToReal(left), Timeout.InfiniteTimeSpan);
                    return;
                }

                if (period > TimeSpan.Zero)
                {
                    due += period;
                    timer.Change(clock.ToReal(period), Timeout.InfiniteTimeSpan);
                }
            }

            callback(state);
        }
    }
}
