using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;
using Progress = Smtp2GoIngest.Tool.Commands.Progress;

namespace Smtp2GoIngest.Tests.Tool;

public sealed class ProgressTests : IDisposable
{
    private readonly StringWriter error = new();
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Progress_fits_its_line_and_clears_itself()
    {
        const int Width = 40;
        var wide = new string('\u7528', 30);
        using (var progress = new Progress(Context(Width), "events", all => $", {all:N0} a second\u202e\u2028\u001b[2J\r\n{wide}"))
        {
            foreach (var value in (long[])[1_234_567, 5, 1_234_567_890_123])
            {
                time.Advance(TimeSpan.FromSeconds(1));
                progress.Report(value);
            }
        }

        var frames = error.ToString().Split('\r')[1..];
        Assert.Equal(5, frames.Length);
        Assert.All(frames, frame => Assert.InRange(frame.GetCellWidth(), 0, Width));
        Assert.All(frames, frame => Assert.Equal(PlainText.Of(frame), frame));
        Assert.StartsWith("1,234,567 events, 1,234,567 a second", frames[0], StringComparison.Ordinal);

        // Each covers the one before, and the last one leaves nothing.
        Assert.True(frames[1].GetCellWidth() >= frames[0].GetCellWidth());
        Assert.Equal(frames[..3].Max(frame => frame.GetCellWidth()), frames[3].Length);
        Assert.Equal((string.Empty, string.Empty), (frames[3].Trim(), frames[4]));
    }

    [Theory]
    [InlineData(1, "\r1 event so far")]
    [InlineData(2_000, "\r2,000 events so far")]
    public void One_is_counted_in_the_singular(long count, string shown)
    {
        using var progress = new Progress(Context(79), "events", _ => " so far");
        time.Advance(TimeSpan.FromSeconds(1));
        progress.Report(count);

        Assert.Equal(shown, error.ToString());
    }

    [Fact]
    public void Nothing_is_shown_if_nobody_watches_or_if_it_is_over_at_once()
    {
        var nobody = new CommandContext(TextWriter.Null, error, ".") { IsInteractive = false, Time = time };
        using (var unwatched = new Progress(nobody, "events"))
        using (var quick = new Progress(Context(79), "events"))
        {
            quick.Report(1);
            time.Advance(TimeSpan.FromSeconds(1));
            unwatched.Report(1);
        }

        Assert.Empty(error.ToString());
    }

    [Fact]
    public void Without_a_terminal_a_line_is_one_less_than_the_usual_width() =>
        Assert.Equal(79, new CommandContext(TextWriter.Null, error, ".").ProgressWidth);

    public void Dispose() => error.Dispose();

    private CommandContext Context(int width) =>
        new(TextWriter.Null, error, ".") { IsInteractive = true, ProgressWidth = width, Time = time };
}
