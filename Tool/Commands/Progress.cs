using System.Globalization;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Shows the count of long work on standard error if somebody is watching, and clears it at the end.</summary>
/// <param name="more">What follows the count, created only when it is shown.</param>
internal sealed class Progress(CommandContext context, string what, Func<long, string>? more = null) : IProgress<long>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private long last = context.Time.GetTimestamp();
    private int drawn;

    public void Report(long value)
    {
        if (context.IsInteractive && context.Time.GetElapsedTime(last) > Interval)
        {
            last = context.Time.GetTimestamp();
            var text = string.Create(CultureInfo.InvariantCulture, $"{value:N0} {what}{more?.Invoke(value)}");
            context.Error.Write($"\r{text.PadRight(drawn)}");
            drawn = Math.Max(drawn, text.Length);
        }
    }

    public void Dispose()
    {
        if (drawn > 0)
        {
            context.Error.Write($"\r{new string(' ', drawn)}\r");
        }
    }
}
