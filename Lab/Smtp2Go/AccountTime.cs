namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>The account's date, and waits that are as much shorter as the API's limits are.</summary>
public sealed class AccountTime(Smtp2GoAccount account, ScaledTime waits) : TimeProvider
{
    public override long TimestampFrequency => waits.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => account.Now;

    public override long GetTimestamp() => waits.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        waits.CreateTimer(callback, state, dueTime, period);
}
