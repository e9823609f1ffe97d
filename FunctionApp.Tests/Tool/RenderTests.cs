using System.Text;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>Every command at every usual width, over texts that would break a table, a terminal or a reader's eye.</summary>
public sealed class RenderTests(RenderTests.HostileEvents stored) : IClassFixture<RenderTests.HostileEvents>
{
    private const string Day = "2026-05-31";

    private static readonly string Recipients = string.Join("|--state|", ["recipients", .. RecipientState.All]);

    public static TheoryData<int, string> Runs
    {
        get
        {
            var runs = new TheoryData<int, string>();
            foreach (var width in new[] { 60, 80, 120, 200 })
            {
                foreach (var id in HostileEvents.EmailIds)
                {
                    runs.Add(width, $"email|{id}");
                }

                foreach (var address in HostileEvents.Addresses)
                {
                    runs.Add(width, $"recipient|{address}");
                }

                foreach (var command in Others)
                {
                    runs.Add(width, command);
                }
            }

            return runs;
        }
    }

    private static string[] Others =>
    [
        "day", "day|--event|bounce", "summary", "bounces", "find|--subject|a", "dead-letters|list", "check", "day|no-time", Recipients,
    ];

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task No_line_is_wider_than_the_terminal_and_no_key_is_broken(int width, string command)
    {
        var args = command.Split('|');

        var run = await Task.Run(() => stored.RunAsync(width, args)).WaitAsync(Test.Patience, Test.Token);

        Assert.Equal(ExitCode.Done, run.ExitCode);
        var lines = run.Output.Split('\n');
        Assert.All(lines, line => Assert.True(
            line.GetCellWidth() <= width || HostileEvents.Keys.Contains(line.Trim()), $"{line.GetCellWidth()} columns: {line}"));
        Assert.DoesNotContain(run.Output, c => c != '\n' && PlainText.Steering.Contains(c));
        Assert.All(ExpectedKeys(args), key => Assert.Contains(lines, line => line.Contains(key, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("day")]
    [InlineData("email", "1wplain-AAAAAAAAAAAA-AAAA", "--limit", "1000")]
    public async Task For_another_program_each_event_is_one_line(params string[] args)
    {
        var rows = (await stored.RunAsync(TextLayout.Unlimited, [.. args, "--json"])).Json.Count(row => row["time"] is not null);
        var run = await stored.RunAsync(TextLayout.Unlimited, args);

        Assert.NotEqual(0, rows);
        Assert.Equal(rows, run.Output.Split('\n').Count(line => line.StartsWith(HostileEvents.Time, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task In_JSON_nothing_steers_a_terminal_and_nothing_is_lost()
    {
        var run = await stored.RunAsync(80, "email", HostileEvents.EmailIds[0], "--json");

        Assert.DoesNotContain(run.Output, c => c != '\n' && PlainText.Steering.Contains(c));
        Assert.Contains(run.Json, row => (string?)row["subject"] == HostileEvents.Texts[0]);
        Assert.Contains(HostileEvents.Texts[0], c => PlainText.Steering.Contains(c));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(200)]
    public async Task What_is_shown_as_it_arrives_fits_too(int width)
    {
        var account = await stored.NewAccountAsync();
        var output = new StringWriter { NewLine = "\n" };
        var synchronized = TextWriter.Synchronized(output);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        var tail = Smtp2GoIngest.Tool.Program.RunAsync(
            ["--connection", account, "tail", "--interval", "0.1", "--days", "3660"],
            new CommandContext(synchronized, TextWriter.Null, AppContext.BaseDirectory) { Width = width },
            ended.Token);

        var visible = HostileEvents.EventNames.Select(PlainText.Of).Where(name => name.GetCellWidth() > 0);
        await Eventually.Get(() => Task.FromResult(Shown()), text => visible.All(text.Contains));
        await ended.CancelAsync();

        Assert.Equal(0, await tail);
        Assert.All(Shown().Split('\n'), line => Assert.True(line.GetCellWidth() <= width, line));

        string Shown()
        {
            lock (synchronized)
            {
                return output.ToString();
            }
        }
    }

    [Theory]
    [InlineData("one two three", 7, "one two", "three")]
    [InlineData("a verylongword b", 6, "a", "verylo", "ngword", "b")]
    [InlineData("\u7528\u6237\u4e0d\u5b58\u5728", 5, "\u7528\u6237", "\u4e0d\u5b58", "\u5728")]
    [InlineData("on 2026-05-01\u00a011:20:31 it", 22, "on 2026-05-01 11:20:31", "it")]
    [InlineData("  blanks   go ", 20, "blanks go")]
    [InlineData("", 20)]
    public void Text_wraps_at_words(string text, int width, params string[] expected) =>
        Assert.Equal(expected, TextLayout.Wrap(text, width));

    [Theory]
    [InlineData("\u200b", "\u200b")]
    [InlineData("", "")]
    [InlineData("key", "\u200b\u200b")]
    public void A_row_without_any_width_is_one_line_too(string key, string text) =>
        Assert.Equal(
            key.Trim('\u200b'), Assert.Single(TextLayout.Lines([[Cell.Key(key), Cell.Text(text)]], null, 60, (shown, _) => shown)));

    [Fact]
    public async Task Colours_are_for_a_terminal_that_has_them()
    {
        var plain = await stored.RunAsync(80, "email", HostileEvents.EmailIds[0]);
        var coloured = new StringWriter { NewLine = "\n" };
        await Smtp2GoIngest.Tool.Program.RunAsync(
            ["--connection", stored.ConnectionString, "--utc", "email", HostileEvents.EmailIds[0]],
            new CommandContext(coloured, TextWriter.Null, AppContext.BaseDirectory) { Width = 80, HasColors = true },
            Test.Token);

        Assert.DoesNotContain("\e", plain.Output, StringComparison.Ordinal);
        Assert.Contains("\e[32mdelivered", coloured.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> ExpectedKeys(string[] args) => args switch
    {
        ["email", var id] => [PlainText.Of(id)],
        ["day"] or ["find", ..] => HostileEvents.EmailIds.Select(PlainText.Of),
        ["recipient", ..] => [HostileEvents.Time],
        ["day", "--event", "bounce"] => HostileEvents.Addresses.Select(PlainText.Of),
        ["recipients", ..] => HostileEvents.Addresses.Select(PlainText.Of),
        ["summary"] => [Day, .. HostileEvents.EventNames.Select(PlainText.Of)],
        _ => [],
    };

    /// <summary>A few events whose every text is hostile.</summary>
    public sealed class HostileEvents(AzuriteFixture azurite) : IAsyncLifetime
    {
        public const string Time = "2026-05-31 10:00:00";

        // Steering, turning, wide, joined and combining characters, long words, separators, and half a pair.
        internal static readonly string[] Texts =
        [
            "a\e[2J\e]0;title\u0007 \u202egnp.exe\u2066 one\u2028two\u2029three\ttab\r\nline",
            string.Concat(Enumerable.Repeat("\u7528\u6237\u4e0d\u5b58\u5728", 60)) + " a",
            string.Concat(Enumerable.Repeat("\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 a ", 40)),
            new string('x', 500) + " a " + string.Concat(Enumerable.Repeat("e\u0301", 200)),
            "\u0645\u0631\u062d\u0628\u0627 a [bold]markup[/] %s {0} \\n \u00a0 \ufffd",
            "550 5.1.1 a <https://shop.example.com/" + new string('p', 300) + "?q=1>: user unknown",
        ];

        internal static readonly string[] EmailIds =
        [
            "1wplain-AAAAAAAAAAAA-AAAA", $"1w{new string('i', 300)}", "1w\u7528\u6237\u4e0d\u5b58\u5728", "1w\u202eid\u0007",
            "1w'quote\"=x", "1w a b",
        ];

        internal static readonly string[] Addresses =
        [
            "ada@example.org", $"{new string('l', 64)}@{new string('d', 60)}.example.org", "\u7528\u6237@\u4f8b\u5b50.example",
            "a\u202eb@example.org", "o'hara+\"x y\"@example.org", "\ud83d\udc68\u200d\ud83d\udc69@example.org",
        ];

        internal static readonly string[] EventNames =
        [
            "processed", "delivered", "open", "click", "bounce", "spam", "unsubscribe", "resubscribe", "reject", "sms_delivered",
            "sms_failed", "sms_rejected", "\u4e8b\u4ef6", "list/unknown~\u00e9", "x\e]0;title\u0007\e[31m\u202e", "\u200b",
        ];

        internal static readonly HashSet<string> Keys =
        [
            .. EmailIds.Concat(Addresses)
                .Concat(Addresses.Select(address => address.Split('@')[^1]))
                .Select(key => PlainText.Of(key).Trim()),
        ];

        public string ConnectionString { get; } = azurite.NewAccount();

        public async ValueTask InitializeAsync()
        {
            await using var app = await IngestApp.StartAsync(ConnectionString);
            var i = 0;
            foreach (var id in EmailIds)
            {
                foreach (var name in EventNames)
                {
                    var (text, address) = (Texts[i % Texts.Length], Addresses[i % Addresses.Length]);
                    await PostAsync(app, name, id, address, text, i++);
                }
            }

            foreach (var address in Addresses)
            {
                await PostAsync(app, "bounce", EmailIds[0], address, Texts[i % Texts.Length], i++);
            }

            await app.AcknowledgedAsync($"event=open&id={i}&email_id={EmailIds[0]}&rcpt=ada@example.org");
            await app.AcknowledgedAsync($"note={Uri.EscapeDataString(Texts[1])}");
            await app.AcknowledgedAsync($"{Uri.EscapeDataString(Texts[0])}={new string('x', 3_000)}");
            await app.DrainedAsync();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        /// <summary>An account into which each kind of event has just come.</summary>
        internal async Task<string> NewAccountAsync()
        {
            var account = azurite.NewAccount();
            await using var app = await IngestApp.StartAsync(account);
            for (var i = 0; i < EventNames.Length; i++)
            {
                await PostAsync(app, EventNames[i], EmailIds[0], Addresses[0], Texts[i % Texts.Length], i);
            }

            await app.DrainedAsync();
            return account;
        }

        internal Task<ToolRun> RunAsync(int width, params string[] args) => ToolRun.RunAsync(
            ["--connection", ConnectionString, "--utc", .. args],
            new DateTimeOffset(2026, 5, 31, 12, 0, 0, TimeSpan.Zero),
            AppContext.BaseDirectory,
            width);

        private static Task PostAsync(IngestApp app, string name, string id, string address, string text, int i)
        {
            var body = new StringBuilder($"event={Uri.EscapeDataString(name)}&id={i:x32}&time=2026-05-31T10:00:00Z&bounce=hard");
            foreach (var (field, value) in new[]
            {
                ("email_id", id), ("rcpt", address), ("sender", address), ("subject", text), ("message", text), ("url", text),
                ("client", text),
            })
            {
                body.Append('&').Append(field).Append('=').Append(Uri.EscapeDataString(value));
            }

            return app.AcknowledgedAsync(body.ToString());
        }
    }
}
