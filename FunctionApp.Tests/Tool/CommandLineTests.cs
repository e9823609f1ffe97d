using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>Whatever is typed, the answer is a result or one line that says what to fix.</summary>
public sealed class CommandLineTests(AzuriteFixture azurite)
{
    private const string Secret = "aHVudGVyMi1pcy1zZWNyZXQt";

    private static readonly string Long = new('x', 100_000);

    private static readonly string[] Commands =
    [
        "email", "recipient", "day", "summary", "tail", "export", "dead-letters", "send", "check", "purge", "forget", "reindex", "reparse",
        "find", "bounces", "recipients", "reconcile",
    ];

    /// <summary>Texts that should never be an argument.</summary>
    private static readonly string[] Odd =
    [
        string.Empty, " ", "\t", "\n", "\r\n", "\0", "\u0007\u001b[2J", "a\u0085b", "\u202enoitcejni", "\u2066x\u2069", "\ud800",
        "x\udc00y",
        "\ufeff", "\u2028", "'", "\"", "''; drop", "' or PartitionKey ne '", "%", "%00", "*", "?", "/", "\\", "#", "=", "=41", "`",
        "$(id)", ".",
        "..", "/dev/null", "@", "@file", "@@", "-", "~", "١٢٣", "２０２６-０５-０１", "2026-02-30", "0001-01-01", "9999-12-31", "-1", "1e9", "NaN",
        "true", "null", "{}", "[]", "<x>", "[red]x[/]", "[parse]", "[suggest:3]", "\ud83d\udc68\u200d\ud83d\udc69", "ada@", "@example.org",
        $"AccountName=x;AccountKey={Secret}", $"https://smtp2go:{Secret}@x.example/webhook/smtp2go", Long,
        $"https://x.example/webhook/smtp2go_{Secret}", $"https://x.example/webhook/smtp2go?p={Secret}", $"https://x.example/a@{Secret}",
        $"http://smtp2go:abc/{Secret}@x.example/", $"http://smtp2go:12/{Secret}@x.example/", $"http://smtp2go:{Secret}/a@x.example/",
        $"http://smtp2go:p@{Secret}@x.example/", $"http://smtp2go:a#{Secret}@x.example/", $"http://smtp2go:a b{Secret}@x.example/",
        $"https://x.example/webhook/smtp2go_a {Secret}", $"smtp2go:{Secret}@x.example/webhook/smtp2go",
        $"smtp2go:a/{Secret}@x.example", $"x.example/webhook/smtp2go_{Secret}", $"HTTPS://x.example/{Secret}",
    ];

    [Fact]
    public async Task Without_arguments_it_shows_its_help_and_that_is_not_an_error()
    {
        var all = await RunAsync(azurite.NewAccount());
        var group = await RunAsync(azurite.NewAccount(), "dead-letters");

        Assert.Equal((0, string.Empty), (all.ExitCode, all.Error));
        Assert.All(Commands, command => Assert.Contains($"\n  {command} ", all.Output, StringComparison.Ordinal));
        Assert.Equal((0, string.Empty), (group.ExitCode, group.Error));
        Assert.All(["list", "show", "replay", "drop"], verb => Assert.Contains($"\n  {verb} ", group.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(80)]
    public async Task Help_is_drawn_in_a_terminal_of_any_width(int width)
    {
        var run = await Task.Run(() => ToolRun.RunAsync(["--help"], null, AppContext.BaseDirectory, width))
            .WaitAsync(Test.Patience, Test.Token);

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Contains("Answers questions", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.Length, 0, Math.Max(width, 60)));
    }

    [Theory]
    [InlineData("'summry' is not a command. Did you mean 'summary'? See smtp2go-ingest --help.", "summry")]
    [InlineData("'DAY' is not a command. Did you mean 'day'? See smtp2go-ingest --help.", "DAY")]
    [InlineData("'sum' is not a command. Did you mean 'summary'? See smtp2go-ingest --help.", "sum")]
    [InlineData("'completely-else' is not a command. See smtp2go-ingest --help.", "completely-else")]
    [InlineData(
        "'lst' is not a command of 'dead-letters'. Did you mean 'list'? See smtp2go-ingest dead-letters --help.", "dead-letters", "lst")]
    [InlineData("'--jsn' is not an option of 'email'. Did you mean '--json'? See smtp2go-ingest email --help.", "email", "--jsn")]
    [InlineData("'--evnet' is not an option of 'day'. Did you mean '--event'? See smtp2go-ingest day --help.", "day", "--evnet", "x")]
    [InlineData(
        "'--pasword' is not an option of 'send'. Did you mean '--password'? See smtp2go-ingest send --help.",
        "send", "open", "--pasword", Secret)]
    [InlineData(
        "'--pasword' is not an option of 'send'. Did you mean '--password'? See smtp2go-ingest send --help.",
        "send", "open", $"--pasword={Secret}")]
    [InlineData("'b' is one argument too many for 'email'. See smtp2go-ingest email --help.", "email", "a", "b")]
    [InlineData("'recipient' needs <address>. See smtp2go-ingest recipient --help.", "recipient")]
    public async Task A_mistyped_word_gets_one_line_with_a_suggestion(string error, params string[] args)
    {
        var run = await RunAsync(azurite.NewAccount(), args);

        Assert.Equal((2, string.Empty, error + "\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public async Task A_mistyped_event_gets_a_suggestion() => Assert.EndsWith(
        ", unsubscribe. Did you mean 'bounce'? See smtp2go-ingest send --help.\n",
        (await RunAsync(azurite.NewAccount(), "send", "bounec")).Error,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("Nobody answered at https://h.example:7071. Start it.", "Nobody answered at https://h.example:7071. Start it.")]
    [InlineData("'https://h/webhook/smtp2go_Abc' is odd.", "'https://h…' is odd.")]
    [InlineData("'https://u:a b'c@h/x' is odd.", "'https://h…' is odd.")]
    [InlineData("'https://u:p@ss@[::1]:80/x' is odd.", "'https://[::1]:80…' is odd.")]
    [InlineData("'https://u:abc/def@h/x' is odd.", "'https://…' is odd.")]
    [InlineData("at https://h?p=abc and http://u:p@g", "at https://h… and http://g…")]
    public void Of_a_url_a_message_shows_only_scheme_and_host(string message, string shown) =>
        Assert.Equal(shown, MessageText.Of(message));

    [Fact]
    public async Task After_two_dashes_everything_is_an_argument() => Assert.Equal(
        (3, "No events found for email '--jsn'. Ids are case-sensitive, and a new event takes a few seconds.\n"),
        await RunAsync(azurite.NewAccount(), "email", "--", "--jsn") is var run ? (run.ExitCode, run.Error) : default);

    [Fact]
    public async Task Every_odd_command_line_ends_in_a_result_or_one_line()
    {
        var account = azurite.NewAccount();
        await using (var app = await IngestApp.StartAsync(account))
        {
            await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=ada@example.org&time=2024-05-02T11:20:31Z");
            await app.AcknowledgedAsync("a=1");
            await app.DrainedAsync();
        }

        var lines = Lines().ToList();
        Assert.True(lines.Count > 300, $"{lines.Count}");
        var failures = new List<string>();
        foreach (var line in lines)
        {
            // Not on this thread: a command that never waits would never let the time run out.
            var running = Task.Run(() => RunAsync(account, line));
            var ended = await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(30), Test.Token)) == running;
            if ((ended ? Problem(await running) : "does not end") is { } problem)
            {
                failures.Add($"{string.Join(' ', line.Select(Shown))}: {problem}{(ended ? $": {Shown((await running).Error)}" : null)}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    [Theory]
    [InlineData("--help > /dev/full", 1)]
    [InlineData("day 2024-05-02 > /dev/full", 1)]
    [InlineData("export 2024-05-02 2024-05-02 > /dev/full", 1)]
    [InlineData("check > /dev/full", 1)]
    [InlineData("export 2024-05-02 2024-05-02 --output /dev/full/x", 1)]
    [InlineData("tail --interval 0.1 | head -1", 0)]
    [InlineData("summry > /dev/full 2> /dev/full", 2)]
    [InlineData("--help >&-", 1)]
    public async Task A_full_disk_and_a_closed_pipe_end_it_without_a_stack_trace(string arguments, int exitCode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync("event=open&id=1&email_id=e1&rcpt=ada@example.org&time=2024-05-02T11:20:31Z");
        await app.DrainedAsync();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        var arriving = ArriveAsync(app, ended.Token);

        var start = new ProcessStartInfo("sh", ["-c", $"dotnet {typeof(CommandContext).Assembly.Location} {arguments}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["EventStorage"] = account;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Test.Token);
        var error = await process.StandardError.ReadToEndAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
        await process.WaitForExitAsync(Test.Token);
        await ended.CancelAsync();
        await arriving;

        Assert.Equal(exitCode, process.ExitCode);
        Assert.InRange(error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 0, 1);
        Assert.DoesNotContain("   at ", error + await output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("NO_COLOR=1 ", false)]
    [InlineData("TERM=dumb ", false)]
    public async Task On_a_terminal_there_are_colours_unless_NO_COLOR_says_otherwise(string environment, bool hasColours)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "script starts a program in a terminal.");
        var start = new ProcessStartInfo(
            "/usr/bin/script", ["-qec", $"{environment}dotnet {typeof(CommandContext).Assembly.Location} check", "/dev/null"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["EventStorage"] = azurite.NewAccount();
        start.Environment["TERM"] = "xterm-256color";
        start.Environment.Remove("NO_COLOR");

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);

        Assert.Contains("connection", output, StringComparison.Ordinal);
        Assert.Equal(hasColours, output.Contains("\u001b[32mok", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("<html>Please sign in</html>")]
    [InlineData("{\"value\":[{\"PartitionKey\":\"2024")]
    [InlineData("{\"value\":[{\"time@odata.type\":\"Edm.DateTime\",\"time\":\"soon\"}]}")]
    [InlineData("{\"value\":{}}")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task An_odd_answer_from_storage_never_gives_a_stack_trace(string answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var storage = builder.Build();
        storage.Run(async context =>
        {
            context.Response.Headers["x-ms-request-id"] = "1";
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer, Test.Token);
        });
        await storage.StartAsync(Test.Token);
        var url = storage.Urls.Single();
        var account = $"AccountName=a;AccountKey={Secret};BlobEndpoint={url}/a;QueueEndpoint={url}/a;TableEndpoint={url}/a;";

        string[][] lines =
        [
            ["email", "x"], ["recipient", "a@x.example"], ["day"], ["summary"], ["export", "2024-05-01", "2024-05-02"], ["check"],
            ["find", "--subject", "x"], ["bounces"], ["recipients"], ["recipients", "--format", "csv"], ["dead-letters", "list"],
            ["dead-letters", "show", "2024-05-01", "x"], ["dead-letters", "replay", "--reason", "poison"],
            ["dead-letters", "drop", "--reason", "poison", "--yes"], ["purge", "--before", "2024-05-01", "--yes"],
            ["forget", "a@x.example", "--yes", "--force"], ["reindex"], ["reparse"],
        ];
        var failures = new List<string>();
        foreach (var line in lines)
        {
            var run = await Task.Run(() => RunAsync(account, line)).WaitAsync(Test.Patience, Test.Token);
            if (Problem(run) is { } problem)
            {
                failures.Add($"{string.Join(' ', line)}: {problem}: {Shown(run.Error)}");
            }
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    // Something for tail to show, until it has ended.
    private static async Task ArriveAsync(IngestApp app, CancellationToken cancellationToken)
    {
        for (var i = 0; !cancellationToken.IsCancellationRequested; i++)
        {
            var now = DateTimeOffset.UtcNow;
            await app.AcknowledgedAsync($"event=open&id=t{i}&email_id=t&rcpt=a@example.org&time={now:yyyy-MM-ddTHH:mm:ssZ}");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    private static IEnumerable<string[]> Lines()
    {
        const string Nobody = "http://127.0.0.1:9/webhook/smtp2go";
        foreach (var odd in Odd)
        {
            yield return [odd];
            yield return ["email", odd];
            yield return ["recipient", odd];
            yield return ["day", odd];
            yield return ["export", odd, odd];
            yield return ["dead-letters", "show", odd, odd];
            yield return ["send", odd];
            yield return ["send", "open", odd];
            yield return ["send", "open", "--to", odd];
            yield return ["find", "--subject", odd];
            yield return ["bounces", "--days", odd];
            yield return ["--connection", odd, "check"];
            yield return ["forget", odd];
            yield return ["purge", "--before", odd];
            yield return ["summary", "--days", odd];
            yield return ["recipients", "--domain", odd];
            yield return ["recipients", "--state", odd];
            yield return ["recipients", "--since", odd, "--format", odd];
            yield return ["dead-letters", "drop", "--reason", odd];
            yield return ["dead-letters", "replay", odd, odd];
            yield return ["day", "2024-05-02", "--event", odd];
            yield return ["reconcile", odd, odd];
            yield return ["check", "--smtp2go", "--url", odd];
        }

        foreach (var command in Commands)
        {
            yield return [command, "--nope"];
            yield return [command, "--", "--nope", "--nope", "--nope", "--nope"];
            yield return [command, "--json", "--json", "--json", "too", "many", "of", "these"];
            yield return [command, "--help", "--nope"];
            yield return [command, "--connection"];
            yield return [command, "--connection", Secret, "--connection", Secret];
            yield return [$"[{command}]"];
            yield return [command[..^1]];
        }

        yield return ["export", "2024-05-01", "2024-05-02", "--output", "/"];
        yield return ["export", "2024-05-01", "2024-05-02", "--output", "/proc/self/mem"];
        yield return ["export", "2024-05-01", "2024-05-02", "--output", "a\0b"];
        yield return ["export", "2024-05-01", "2024-05-02", "--output", Long];
        yield return ["export", "2024-05-01", "2024-05-02", "--format", "csv", "--format", "csv"];
        yield return ["export", "0001-01-01", "9999-12-31"];
        yield return ["summary", "--days", "99999999999999999999"];
        yield return ["summary", "--days", "-5"];
        yield return ["tail", "--interval", "0"];
        yield return ["tail", "--days", "x"];
        yield return ["send", "open", "--to", Nobody, "--user", Long, "--password", Secret];
        yield return ["send", "open", "--to", Nobody, "--user", "\r\nX: y", "--password", "\ud800"];
        yield return ["send", "open", "--to", $"http://a:{Secret}@127.0.0.1:9/x"];
        yield return ["send", "open", "--to", "http://[::1"];
        yield return ["send", "open", "--to", "http://127.0.0.1:99999/"];
        yield return ["purge", "--before", "2024-01-01", "--yes", "--dry-run"];
        yield return ["dead-letters", "list", "--reason", "no-event", "--json"];
        yield return ["--version", "--help"];
        yield return ["--version", "day"];
        yield return ["-h"];
        yield return ["/?"];
        yield return ["--json=maybe", "day"];
        yield return ["--json:false", "day"];
    }

    private static string? Problem(ToolRun run)
    {
        var all = run.Output + run.Error;
        return run.ExitCode is < 0 or > 3 ? $"exit code {run.ExitCode}"
            : run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length > 1 ? "more than one line"
            : run.Error.Length > 1_000 ? "a long line"
            : all.Contains("   at ", StringComparison.Ordinal) || all.Contains("Unhandled", StringComparison.Ordinal) ? "a stack trace"
            : all.Contains("This is a bug", StringComparison.Ordinal) ? "a bug"
            : all.Contains(Secret, StringComparison.Ordinal) || all.Contains("AccountKey=a2V5", StringComparison.Ordinal) ? "a secret"
            : all.Any(c => c != '\n' && PlainText.Of(c.ToString()) != c.ToString()) ? "a control character"
            : null;
    }

    private static string Shown(string text) =>
        string.Concat((text.Length > 200 ? text[..200] : text).Select(c => c is >= ' ' and <= '~' ? c.ToString() : $"\\u{(int)c:x4}"));

    private static Task<ToolRun> RunAsync(string account, params string[] args) =>
        args.Contains("--connection")
            ? ToolRun.RunAsync(args, null, AppContext.BaseDirectory)
            : ToolRun.RunAsync(account, null, args);
}
