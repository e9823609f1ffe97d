namespace Smtp2GoIngest.Tests;

/// <summary>
/// A clock for one caller, on which nothing depends on how fast the machine is: its waits are over at once, and the clock has moved by
/// them. Its time-outs pass only when the test says so.
/// </summary>
internal sealed class PassingTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<TimeOut> timeOuts = [];
    private TimeSpan passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => start + TimeSpan.FromTicks(GetTimestamp());

    public override long GetTimestamp()
    {
        lock (gate)
        {
            return passed.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (gate)
        {
            var timer = new TimeOut(this, () => callback(state), passed + dueTime);
            if (state is CancellationTokenSource)
            {
                timeOuts.Add(timer);
            }
            else
            {
                passed += dueTime;
                ThreadPool.QueueUserWorkItem(_ => callback(state));
            }

            return timer;
        }
    }

    /// <summary>Lets time pass.</summary>
    /// <returns>How many time-outs were due.</returns>
    public int Pass(TimeSpan time)
    {
        List<TimeOut> due;
        lock (gate)
        {
            passed += time;
            due = timeOuts.FindAll(timer => timer.Due <= passed);
        }

        due.ForEach(timer => timer.End());
        return due.Count;
    }

    private sealed class TimeOut(PassingTime time, Action end, TimeSpan due) : ITimer
    {
        public TimeSpan Due => due;

        public Action End => end;

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose()
        {
            lock (time.gate)
            {
                time.timeOuts.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
