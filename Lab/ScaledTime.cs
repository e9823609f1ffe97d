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
        new ScaledTimer(this, System.CreateTimer(callback, state, ToReal(dueTime), ToReal(period)));

    // A timer counts whole milliseconds, by a clock of its own: it may be late, but never early.
    private TimeSpan ToReal(TimeSpan time) => time <= TimeSpan.Zero
        ? time
        : TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds / speed) + 1);

    private sealed class ScaledTimer(ScaledTime clock, ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(clock.ToReal(dueTime), clock.ToReal(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
