using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Shows the count of long work on standard error if somebody is watching, and clears it at the end.</summary>
/// <param name="what">A noun in the plural with an s: <c>events</c>.</param>
/// <param name="more">What follows the count, created only when it is shown.</param>
internal sealed class Progress(CommandContext context, string what, Func<long, string>? more = null) : IProgress<long>, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private long last = context.Time.GetTimestamp();
    private int drawn;

    /// <summary>Shows the count while one piece of work goes on.</summary>
    public static async Task<T> ShowAsync<T>(CommandContext context, string what, Func<IProgress<long>, Task<T>> run)
    {
        using var progress = new Progress(context, what);
        return await run(progress);
    }

    public void Report(long value)
    {
        if (context.IsInteractive && context.Time.GetElapsedTime(last) > Interval)
        {
            last = context.Time.GetTimestamp();
            var text = Fitting($"{PlainText.Count(value, what[..^1])}{more?.Invoke(value)}");
            var width = text.GetCellWidth();
            context.Error.Write($"\r{text}{new string(' ', Math.Max(0, drawn - width))}");
            drawn = Math.Max(drawn, width);
        }
    }

    public void Dispose()
    {
        if (drawn > 0)
        {
            context.Error.Write($"\r{new string(' ', drawn)}\r");
        }
    }

    // After a line that wraps, \r would go back to the start of the last piece only.
    private string Fitting(string text) => TextLayout.Pieces(PlainText.Of(text), context.ProgressWidth).First();
}
