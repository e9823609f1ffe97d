using System.Diagnostics;
using System.Globalization;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>A file under its own name is complete, each day is in it once, and an interrupted export continues where it stopped.</summary>
public sealed class ExportTests(AzuriteFixture azurite) : IDisposable
{
    private const int EventsPerDay = 80;
    private const string Unreachable = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a;"
        + "QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("smtp2go-ingest-export-");

    private string Path => System.IO.Path.Combine(folder.FullName, "may.csv");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("", "")]
    [InlineData("plain, \"quoted\"", "plain, \"quoted\"")]
    [InlineData("=HYPERLINK(\"https://x.example\")", "'=HYPERLINK(\"https://x.example\")")]
    [InlineData("+1+1", "'+1+1")]
    [InlineData("+6421555012", "'+6421555012")]
    [InlineData("-5", "'-5")]
    [InlineData("@SUM(1)", "'@SUM(1)")]
    [InlineData("＝1", "'＝1")]
    [InlineData("\t=1", "'\t'=1")]
    [InlineData("\r1", "'\r1")]
    [InlineData("\n1", "'\n1")]
    [InlineData(" =1", " '=1")]
    [InlineData("a;=1", "a;'=1")]
    [InlineData("a; \"=1\"", "a; \"'=1\"")]
    [InlineData("a\t@b", "a\t'@b")]
    [InlineData("a\r\n-1", "a\r\n'-1")]
    [InlineData("a,=1", "a,=1")]
    [InlineData("2026-05-01; a-b=c@d", "2026-05-01; a-b=c@d")]
    [InlineData("=;=", "'=;'=")]
    public void A_text_that_a_spreadsheet_could_run_gets_an_apostrophe(string text, string safe) => Assert.Equal(safe, RowCsv.Safe(text));

    [Fact]
    public async Task Csv_is_for_a_spreadsheet_and_with_exact_for_a_program()
    {
        var account = azurite.NewAccount();
        await StoreAsync(
            account,
            [
                new TableEntity("2026-05-01_bounce", "a")
                {
                    ["event"] = "bounce", ["subject"] = "=1+1", ["read_secs"] = -5, ["X_é"] = "=2",
                },
            ]);

        var safe = await RunAsync(account, "export", "2026-05", "--format", "csv");
        var exact = await RunAsync(account, "export", "2026-05", "--format", "csv", "--exact");
        await RunAsync(account, "export", "2026-05", "--format", "csv", "--output", Path);

        Assert.StartsWith("\ufeffPartitionKey,RowKey,event,time,", safe.Output, StringComparison.Ordinal);
        Assert.Contains(",'=1+1,", safe.Output, StringComparison.Ordinal);
        Assert.Contains(",-5,", safe.Output, StringComparison.Ordinal);
        Assert.StartsWith("PartitionKey,RowKey,event,time,", exact.Output, StringComparison.Ordinal);
        Assert.Contains(",=1+1,", exact.Output, StringComparison.Ordinal);
        Assert.Contains($",{string.Join(',', ColumnNames.Facts)},other\n", exact.Output, StringComparison.Ordinal);
        Assert.EndsWith(",\"{\"\"X_é\"\":\"\"=2\"\"}\"\n", exact.Output, StringComparison.Ordinal);
        Assert.Equal(Encoding.UTF8.GetBytes(safe.Output), await File.ReadAllBytesAsync(Path, Test.Token));
    }

    [Theory]
    [InlineData(31, "2026-05")]
    [InlineData(7, "2026-05-01..2026-05-07")]
    [InlineData(7, "2026-05-01", "2026-05-07")]
    [InlineData(1, "2026-05-07")]
    public async Task Days_are_a_range_or_a_first_and_a_last_one(int days, params string[] args)
    {
        var account = azurite.NewAccount();
        await StoreMonthAsync(account);

        Assert.Equal(days * EventsPerDay, (await RunAsync(account, ["export", .. args])).Json.Count);
    }

    [Theory]
    [InlineData("ndjson")]
    [InlineData("csv")]
    [InlineData("csv", "--exact")]
    public async Task An_interrupted_export_continues_after_its_last_whole_day(params string[] format)
    {
        var account = azurite.NewAccount();
        await StoreMonthAsync(account);
        string[] args = ["export", "2026-05", "--format", .. format];
        var whole = (await RunAsync(account, args)).Output;

        await InterruptedAsync(account, args);
        var again = await RunAsync(account, [.. args, "--output", Path]);

        Assert.Equal((0, string.Empty), (again.ExitCode, again.Output));
        Assert.StartsWith("Continuing at 2026-05-", again.Error, StringComparison.Ordinal);
        Assert.Equal(whole, Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Path, Test.Token)));
        Assert.Equal([Path], Directory.GetFiles(folder.FullName));
    }

    [Theory]
    [InlineData("export", "2026-05", "--format", "csv", "--exact")]
    [InlineData("export", "2026-05", "--format", "ndjson")]
    [InlineData("export", "2026-05-02", "2026-05-31", "--format", "csv")]
    [InlineData("export", "2026-05-01", "2026-05-30", "--format", "csv")]
    public async Task Another_export_does_not_continue_it(params string[] args)
    {
        var account = azurite.NewAccount();
        await StoreMonthAsync(account);
        await InterruptedAsync(account, "export", "2026-05", "--format", "csv");

        var other = await RunAsync(account, [.. args, "--output", Path]);

        Assert.Equal((0, string.Empty), (other.ExitCode, other.Error));
        Assert.Equal(
            (await RunAsync(account, args)).Output, Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Path, Test.Token)));
    }

    [Fact]
    public async Task Another_account_does_not_continue_it()
    {
        var (one, other) = (azurite.NewAccount(), azurite.NewAccount());
        await StoreMonthAsync(one);
        await StoreAsync(other, [new TableEntity("2026-05-30_open", "a") { ["event"] = "open" }]);
        await InterruptedAsync(one, "export", "2026-05");

        var run = await RunAsync(other, "export", "2026-05", "--output", Path);

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Single(await File.ReadAllLinesAsync(Path, Test.Token));
    }

    [Fact]
    public async Task A_process_that_is_killed_at_any_moment_leaves_no_incomplete_file()
    {
        var account = azurite.NewAccount();
        await StoreMonthAsync(account);
        var whole = (await RunAsync(account, "export", "2026-05", "--format", "csv")).Output;
        var since = Stopwatch.GetTimestamp();
        Assert.True(await EndsInTimeAsync(account, Path + ".whole", Timeout.InfiniteTimeSpan));
        var uninterrupted = Stopwatch.GetElapsedTime(since);
        var killed = 0;

        // In parts of what this machine needs for all of it: a fast one is done before any fixed time.
        for (var part = 1; !File.Exists(Path); part++)
        {
            Assert.InRange(part, 1, 160);
            killed += await EndsInTimeAsync(account, Path, uninterrupted * part / 16) ? 0 : 1;
        }

        Assert.True(killed > 1, "The first one was done before it could be killed.");
        Assert.Equal(whole, Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Path, Test.Token)));
    }

    /// <summary>Kills the export when its time is over.</summary>
    private static async Task<bool> EndsInTimeAsync(string account, string path, TimeSpan limit)
    {
        using var process = Process.Start(new ProcessStartInfo(
            "dotnet",
            [
                typeof(CommandContext).Assembly.Location, "export", "2026-05", "--format", "csv", "--output", path,
                "--connection", account,
            ])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        })!;
        await Task.WhenAny(process.WaitForExitAsync(Test.Token), Task.Delay(limit, Test.Token));
        if (process.HasExited)
        {
            Assert.True(process.ExitCode == 0, await process.StandardError.ReadToEndAsync(Test.Token));
            return true;
        }

        process.Kill();
        await process.WaitForExitAsync(Test.Token);
        return false;
    }

    [Theory]
    [InlineData("abc\nhalf of a da", "abc\n")]
    [InlineData("abc\n", "abc\n")]
    [InlineData("ab", "")]
    public async Task What_a_crash_left_after_the_last_whole_day_is_cut_off(string left, string kept)
    {
        var request = new ExportRequest("account", "ndjson", false, "2026-05-01", "2026-05-31");
        await KeepAsync(request, "abc\n");
        await File.WriteAllTextAsync(Path + ".part", left, Test.Token);

        await using (var file = new ExportFile(Path, request))
        {
            Assert.Equal(kept.Length > 0 ? "2026-05-02" : null, file.Kept?.Next);
            await file.Output.WriteAsync("def\n");
            await file.CompleteAsync(Test.Token);
        }

        Assert.Equal(kept + "def\n", await File.ReadAllTextAsync(Path, Test.Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task A_state_that_a_crash_cut_short_does_not_count(string state)
    {
        var request = new ExportRequest("account", "ndjson", false, "2026-05-01", "2026-05-31");
        await KeepAsync(request, "abc\n");
        await File.WriteAllTextAsync(Path + ".part.json", state, Test.Token);

        await using var file = new ExportFile(Path, request);

        Assert.Null(file.Kept);
    }

    [Fact]
    public async Task The_state_of_another_export_is_gone_before_anything_is_written()
    {
        var request = new ExportRequest("account", "ndjson", false, "2026-05-01", "2026-05-31");
        await KeepAsync(request, "abc\n");
        await using (new ExportFile(Path, request with { Format = "csv" }))
        {
            // A crash now must not leave other content under the old state.
            Assert.False(File.Exists(Path + ".part.json"));
            Assert.Throws<IOException>(() => new ExportFile(Path, request));
        }

        Assert.Empty(Directory.GetFiles(folder.FullName));
    }

    [Fact]
    public async Task If_nothing_is_found_a_file_of_that_name_stays_as_it_is()
    {
        await File.WriteAllTextAsync(Path, "mine", Test.Token);

        var run = await RunAsync(azurite.NewAccount(), "export", "2026-05", "--output", Path);

        Assert.Equal((3, "No events found for 2026-05-01 to 2026-05-31.\n"), (run.ExitCode, run.Error));
        Assert.Equal("mine", await File.ReadAllTextAsync(Path, Test.Token));
        Assert.Equal([Path], Directory.GetFiles(folder.FullName));
    }

    [Theory]
    [InlineData("mkfifo pipe", "pipe")]
    [InlineData("mkfifo pipe; ln -s pipe link", "link")]
    [InlineData("mkdir folder", "folder")]
    [InlineData("mkdir folder; ln -s folder link", "link")]
    [InlineData(":", "new/")]
    [InlineData(":", "/dev/stdout")]
    [InlineData(":", "/dev/null")]
    [InlineData(":", "/proc/self/fd/1")]
    public async Task What_is_not_a_file_is_refused_before_anything_is_read_and_stays(string making, string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes and devices are files on Linux.");
        await ShellAsync(making);
        var before = Directory.GetFileSystemEntries(folder.FullName).Order();
        var path = System.IO.Path.Combine(folder.FullName, name);

        var run = await Task.Run(() => RunAsync(Unreachable, "export", "2026-05", "--output", path))
            .WaitAsync(Test.Patience, Test.Token);

        Assert.Equal((2, $"'{path}' is not a file. For standard output, leave out --output.\n"), (run.ExitCode, run.Error));
        Assert.Equal(before, Directory.GetFileSystemEntries(folder.FullName).Order());
    }

    [Theory]
    [InlineData("echo old > target; ln -s target may.csv")]
    [InlineData("ln -s target may.csv")]
    [InlineData("mkdir in; ln -s ../target in/one; ln -s in/one may.csv")]
    public async Task A_link_stays_and_its_target_gets_the_events(string making)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Only an administrator makes links on Windows.");
        var account = azurite.NewAccount();
        await StoreAsync(account, [new TableEntity("2026-05-30_open", "a") { ["event"] = "open" }]);
        await ShellAsync(making);

        Assert.Equal(0, (await RunAsync(account, "export", "2026-05", "--output", Path)).ExitCode);

        Assert.NotNull(new FileInfo(Path).LinkTarget);
        var target = new FileInfo(System.IO.Path.Combine(folder.FullName, "target"));
        Assert.Null(target.LinkTarget);
        Assert.Single(await File.ReadAllLinesAsync(target.FullName, Test.Token));
    }

    [Fact]
    public async Task Exact_is_for_csv_only() => Assert.Equal(
        (2, "--exact goes with --format csv: ndjson is always exact. See smtp2go-ingest export --help.\n"),
        await RunAsync(Unreachable, "export", "2026-05", "--exact") is var run ? (run.ExitCode, run.Error) : default);

    [Fact]
    public async Task What_another_export_has_begun_stays_when_this_one_has_ended()
    {
        var request = new ExportRequest("account", "ndjson", false, "2026-05-01", "2026-05-31");
        await using (var file = new ExportFile(Path, request))
        {
            await file.CompleteAsync(Test.Token);
            await File.WriteAllTextAsync(Path + ".part", "somebody else's", Test.Token);
        }

        Assert.True(File.Exists(Path + ".part"));
    }

    [Fact]
    public async Task A_table_that_is_deleted_half_way_is_a_failure_and_not_the_end()
    {
        var account = azurite.NewAccount();
        await StoreMonthAsync(account);
        var service = new TableServiceClient(account);

        var read = 0;
        await Assert.ThrowsAsync<RequestFailedException>(async () =>
        {
            await foreach (var row in service.RowsAsync(EventIndex.ByDayTable, filter: null, columns: null, Test.Token))
            {
                await (read++ == 0 ? service.DeleteTableAsync(EventIndex.ByDayTable, Test.Token) : Task.CompletedTask);
            }
        });

        // A page, and the next one, which was on its way.
        Assert.InRange(read, 1_000, 2_000);
    }

    [Theory]
    [InlineData("2026-05-01", 500, 1, null)]
    [InlineData("2026-05-02", 500, 2, 90.0)]
    [InlineData("2026-05-10", 4_500, 10, 1.111)]
    public void The_pace_goes_by_the_days_that_are_done(string day, long events, int number, double? secondsLeft)
    {
        var days = new DayRange(new DateOnly(2026, 5, 1), new DateOnly(2026, 5, 10));

        var pace = ExportPace.Of(days, DateOnly.Parse(day, CultureInfo.InvariantCulture), events, TimeSpan.FromSeconds(10));

        Assert.Equal((events / 10, number, 10), (pace.PerSecond, pace.Day, pace.Days));
        Assert.Equal(secondsLeft, pace.Left is { } left ? Math.Round(left.TotalSeconds, 3) : null);
    }

    private async Task ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script]) { WorkingDirectory = folder.FullName })!;
        await shell.WaitForExitAsync(Test.Token);
        Assert.Equal(0, shell.ExitCode);
    }

    // Interrupted at the first event after it has kept a day: the export itself asks for the time then.
    private async Task InterruptedAsync(string account, params string[] args)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        var error = new StringWriter();
        var time = new WatchedTime(() =>
        {
            if (File.Exists(Path + ".part.json"))
            {
                ended.Cancel();
            }
        });
        var exitCode = await Smtp2GoIngest.Tool.Program.RunAsync(
            ["--connection", account, .. args, "--output", Path],
            new CommandContext(TextWriter.Null, error, AppContext.BaseDirectory) { IsInteractive = true, Time = time },
            ended.Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("Interrupted. Run the same command again to continue at 2026-05-", error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path));
    }

    private async Task KeepAsync(ExportRequest request, string content)
    {
        await using var file = new ExportFile(Path, request);
        await file.Output.WriteAsync(content);
        await file.KeepAsync("2026-05-02", 1, Test.Token);
    }

    private static Task StoreMonthAsync(string account) => StoreAsync(
        account,
        Enumerable.Range(1, 31).SelectMany(day => Enumerable.Range(0, EventsPerDay).Select(i =>
            new TableEntity($"2026-05-{day:00}_{(i < EventsPerDay / 2 ? "bounce" : "open")}", $"{i:0000}") { ["id"] = $"{day}-{i}" })));

    private static async Task StoreAsync(string account, IEnumerable<TableEntity> rows)
    {
        var table = new TableClient(account, EventIndex.ByDayTable);
        await table.CreateAsync(Test.Token);
        foreach (var chunk in rows.GroupBy(row => row.PartitionKey))
        {
            await table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), Test.Token);
        }
    }

    private static Task<ToolRun> RunAsync(string account, params string[] args) => ToolRun.RunAsync(account, null, args);

    /// <summary>Stands still, so that no progress is shown.</summary>
    private sealed class WatchedTime(Action asked) : TimeProvider
    {
        public override long GetTimestamp()
        {
            asked();
            return 0;
        }
    }
}
