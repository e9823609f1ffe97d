using System.Globalization;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What a person sees at the width of their terminal, whatever texts came from outside.</summary>
public sealed class TerminalTests(AzuriteFixture azurite)
{
    // Twice as wide as others on a terminal.
    private const string Wide = "\u7528\u6237\u4e0d\u5b58\u5728";

    private static readonly string[] Names =
    [
        "processed", "delivered", "open", "click", "bounce", "spam", "unsubscribe", "resubscribe", "reject", "sms_delivered", "sms_failed",
        "sms_submitted", "sms_sending", Wide,
    ];

    [Fact]
    public async Task A_summary_of_many_events_fits_into_80_columns()
    {
        var (account, day) = await StoredAsync();

        var lines = (await RunAsync(account, 80, "summary")).Output.Split('\n');

        Assert.Contains(lines, line => line.Contains(day, StringComparison.Ordinal) && line.Contains("100.00 %", StringComparison.Ordinal));
        Assert.All(Names, name => Assert.Contains(lines, line => line.Contains(name, StringComparison.Ordinal)));
        Assert.All(lines, line => Assert.InRange(line.GetCellWidth(), 0, 80));
        Assert.Contains("Complaint", (await RunAsync(account, 60, "summary")).Output.Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains("sms_delivered", (await RunAsync(account, 300, "summary")).Output.Split('\n')[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("summary")]
    [InlineData("email", "e1")]
    [InlineData("recipient", "kim@x.example")]
    [InlineData("day")]
    [InlineData("dead-letters", "list")]
    public async Task No_text_is_too_wide_for_any_terminal(params string[] args)
    {
        var (account, _) = await StoredAsync();

        foreach (var width in new[] { 100, 80, 79, 72, 66, 63, 61, 60, 25, 1 })
        {
            var run = await Task.Run(() => RunAsync(account, width, args)).WaitAsync(Test.Patience, Test.Token);
            Assert.Equal(ExitCode.Done, run.ExitCode);
        }
    }

    [Theory]
    [InlineData("a\u202egnp.exe", "a gnp.exe")]
    [InlineData("\u2066\u2069\u200e\u200f\u061c", "     ")]
    [InlineData("one\u2028two\u2029three\u001b[2J", "one two three [2J")]
    [InlineData("\ud83d\udc68\u200d\ud83d\udc69 \u0645\u0631\u062d\u0628", "\ud83d\udc68\u200d\ud83d\udc69 \u0645\u0631\u062d\u0628")]
    public void What_steers_a_terminal_or_changes_the_writing_direction_is_blanked_out(string text, string expected) =>
        Assert.Equal(expected, PlainText.Of(text));

    [Theory]
    [InlineData(0, "day", "2026-05-01")]
    [InlineData(1, "check")]
    [InlineData(1, "unknown")]
    public async Task Output_that_cannot_be_written_is_a_failure_and_not_a_stack_trace(int errorIsFull, params string[] args)
    {
        var full = new StreamWriter(new FullStream());
        var error = new StringWriter();
        var context = new CommandContext(full, errorIsFull == 1 ? full : error, AppContext.BaseDirectory);

        var exitCode = await Smtp2GoIngest.Tool.Program.RunAsync(["--connection", azurite.NewAccount(), .. args], context, Test.Token);

        Assert.NotEqual(ExitCode.Done, exitCode);
        Assert.DoesNotContain("   at ", error.ToString(), StringComparison.Ordinal);
    }

    private static Task<ToolRun> RunAsync(string account, int width, params string[] args) =>
        ToolRun.RunAsync(["--connection", account, .. args], null, AppContext.BaseDirectory, width);

    private async Task<(string Account, string Day)> StoredAsync()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var now = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        foreach (var name in Names)
        {
            await app.AcknowledgedAsync($"event={name}&id={name}&email_id=e1&rcpt=kim@x.example&time={now}&message=550+{Wide}&bounce=soft");
        }

        await app.AcknowledgedAsync($"note={Wide}");
        await app.DrainedAsync();
        return (account, now[..10]);
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device");

        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device");

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("No space left on device");
    }
}
