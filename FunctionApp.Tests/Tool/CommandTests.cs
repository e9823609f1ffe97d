using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>The commands that send, watch, check and drop, the settings, and what goes wrong.</summary>
public sealed class CommandTests(AzuriteFixture azurite)
{
    private const string Unreachable = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0LWtleQ==;"
        + "BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;";

    [Theory]
    [InlineData("bounce", "form")]
    [InlineData("processed", "json")]
    [InlineData("sms_delivered", "form")]
    public async Task What_is_sent_is_found_under_the_id_it_names(string eventName, string format)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);

        var sent = await RunAsync(
            account,
            "send",
            eventName,
            "--to",
            $"{app.Url}webhook/smtp2go",
            "--format",
            format,
            "--user",
            IngestApp.Username,
            "--password",
            IngestApp.Password,
            "--json");
        await app.DrainedAsync();
        var found = await RunAsync(account, "email", (string)Assert.Single(sent.Json)["emailId"]!, "--json");

        Assert.Equal((0, 0), (sent.ExitCode, found.ExitCode));
        var row = Assert.Single(found.Json);
        Assert.Equal(eventName, (string?)row["event"]);
        Assert.StartsWith(
            format == "form" ? "application/x-www-form-urlencoded" : "application/json",
            (string?)row["ContentType"],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sending_uses_the_user_name_and_password_in_the_url()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var url = new UriBuilder(new Uri(app.Url, "webhook/smtp2go")) { UserName = IngestApp.Username, Password = IngestApp.Password };

        var sent = await RunAsync(account, "send", "open", "--to", url.Uri.ToString());
        url.Password = "a%3Azebra%2Fone";
        var wrong = await RunAsync(account, "send", "open", "--to", url.Uri.ToString());

        Assert.Equal((0, 1), (sent.ExitCode, wrong.ExitCode));
        Assert.DoesNotContain("zebra", OneLine(wrong), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_event_id_is_one_event_however_often_it_is_sent()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);

        foreach (var format in new[] { "form", "json", "form" })
        {
            var sent = await SendAsync(app, account, "click", "--id", "my-event", "--format", format, "--count", "5");
            Assert.Matches(@"^Acknowledged 5: half in \d+ ms, 95 % in \d+ ms, all in \d+ ms or less\.\n$", sent.Output);
        }

        await app.DrainedAsync();
        Assert.Equal("my-event", Assert.Single(await app.EventsAsync()).GetString("id"));
        Assert.Empty(await app.DeadLettersAsync());
    }

    [Fact]
    public async Task Several_events_each_have_an_email_of_their_own_and_the_recipient_that_was_given()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);

        var sent = await SendAsync(app, account, "delivered", "--recipient", " Kim <kim@example.net>", "--count", "20", "--json");
        await app.DrainedAsync();

        var rows = await app.EventsAsync();
        Assert.Equal(20, rows.Count);
        Assert.Equal(rows.Select(row => row.PartitionKey).Order(), sent.Json.Select(line => (string)line["emailId"]!).Order());
        Assert.All(rows, row => Assert.Equal("kim@example.net", row.GetString("rcpt")));
    }

    [Fact]
    public async Task A_failure_among_many_says_how_many_were_acknowledged()
    {
        var posts = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.Run(async context =>
        {
            // Eight at a time: those before the last are answered first.
            var post = Interlocked.Increment(ref posts);
            await Task.Delay(post == 8 ? 1_000 : 0, Test.Token);
            context.Response.StatusCode = post >= 8 ? 503 : 200;
            await (post > 8 ? Task.Delay(5_000, context.RequestAborted) : Task.CompletedTask);
        });
        await app.StartAsync(Test.Token);

        var run = await RunAsync(azurite.NewAccount(), "send", "open", "--to", $"{app.Urls.Single()}/webhook/smtp2go", "--count", "100");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(" answered 503: ", OneLine(run), StringComparison.Ordinal);
        Assert.EndsWith(" 7 of 100 were acknowledged.\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_send_says_how_to_fix_it_and_no_secret()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        const string Wrong = "a-wrong-password-of-mine";

        var refused = await RunAsync(
            account, "send", "open", "--to", $"{app.Url}webhook/smtp2go", "--user", "smtp2go", "--password", Wrong);
        var nobody = await RunAsync(account, "send", "open", "--to", "http://127.0.0.1:9/webhook/smtp2go", "--password", Wrong);
        var noUrl = await RunAsync(account, "send", "open", "--to", "ftp://x");

        Assert.Equal((1, 1, 2), (refused.ExitCode, nobody.ExitCode, noUrl.ExitCode));
        Assert.Contains("401", OneLine(refused), StringComparison.Ordinal);
        Assert.Contains("Nobody answered", OneLine(nobody), StringComparison.Ordinal);
        Assert.DoesNotContain(Wrong, refused.Error + nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_shows_each_event_once_however_late_and_can_start_before_there_is_a_table()
    {
        var account = azurite.NewAccount();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        var output = new Lines();
        var tail = Smtp2GoIngest.Tool.Program.RunAsync(
            ["--connection", account, "tail", "--interval", "0.1", "--json"],
            new CommandContext(output, TextWriter.Null, AppContext.BaseDirectory),
            ended.Token);
        await using var app = await IngestApp.StartAsync(account);

        for (var i = 0; i < 20; i++)
        {
            // Each an hour earlier than the one before: late by its time, new by when it is stored.
            var body = $"event=open&id={i}&email_id=e{i}&rcpt=a@example.org&time={DateTimeOffset.UtcNow.AddHours(-i):yyyy-MM-ddTHH:mm:ssZ}";
            await app.AcknowledgedAsync(body);
            await app.AcknowledgedAsync(body);
        }

        await app.AcknowledgedAsync("event=reject&id=x&email_id=no-time&rcpt=a@example.org");
        await app.AcknowledgedAsync("event=open&id=y&email_id=test-button&rcpt=a@example.org&time=2019-06-18T16:10:32Z");
        await Eventually.Get(() => Task.FromResult(output.All.Length), count => count >= 22);
        await app.DrainedAsync();
        await Task.Delay(500, Test.Token);
        await ended.CancelAsync();

        Assert.Equal(0, await tail);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"e{i}").Append("no-time").Append("test-button").Order(StringComparer.Ordinal),
            output.All.Select(line => (string)JsonNode.Parse(line)!["email_id"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Check_accepts_an_account_that_is_still_empty_and_creates_nothing_in_it()
    {
        var account = azurite.NewAccount();

        var run = await RunAsync(account, "check", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(9, run.Json.Count);
        Assert.All(run.Json, line => Assert.True((bool)line["ok"]!));
        Assert.StartsWith("account t", (string?)run.Json[0]["detail"], StringComparison.Ordinal);
        Assert.Contains(" at 127.0.0.1:", (string?)run.Json[0]["detail"], StringComparison.Ordinal);
        Assert.Equal("none stored yet: no webhook has arrived, or it is still waiting", (string?)run.Json[8]["detail"]);
        Assert.All(run.Json.Skip(1).Take(7), line => Assert.Equal("does not exist yet (created on first use)", (string?)line["detail"]));
        Assert.Empty(await new QueueServiceClient(account).GetQueuesAsync(cancellationToken: Test.Token).ToListAsync());
        Assert.Empty(await new TableServiceClient(account).QueryAsync(cancellationToken: Test.Token).ToListAsync());
    }

    [Fact]
    public async Task Check_measures_the_queues_and_finds_what_waits_too_long()
    {
        var account = azurite.NewAccount();
        var queue = new QueueClient(account, WebhookQueue.Name);
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("{}", Test.Token);
        await queue.SendMessageAsync("{}", Test.Token);

        // By storage's own clock: the tool's may be off.
        var soon = await ToolRun.RunAsync(account, DateTimeOffset.UtcNow.AddHours(1), "check", "--json");
        await queue.ReceiveMessagesAsync(2, TimeSpan.FromHours(1), Test.Token);
        await queue.SetMetadataAsync(
            new Dictionary<string, string> { [QueueLook.Mark] = $"{DateTimeOffset.UtcNow.AddHours(-1):O}" }, Test.Token);
        var late = await RunAsync(account, "check", "--json");

        Assert.Equal((0, 1), (soon.ExitCode, late.ExitCode));
        var line = late.Json.Single(check => (string?)check["check"] == $"queue {WebhookQueue.Name}");
        Assert.False((bool)line["ok"]!);
        Assert.Equal(2, (int)line["messages"]!);
        Assert.InRange((double)line["oldestSeconds"]!, 3_500, 3_700);
        Assert.Contains("problem  queue", (await RunAsync(account, "check")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_how_old_the_oldest_hidden_message_is_if_the_app_has_seen_it()
    {
        var account = azurite.NewAccount();
        var queue = new QueueClient(account, WebhookQueue.Name);
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("{}", Test.Token);
        await queue.ReceiveMessageAsync(TimeSpan.FromHours(1), Test.Token);

        var unknown = await RunAsync(account, "check");
        await queue.SetMetadataAsync(
            new Dictionary<string, string> { [QueueLook.Mark] = $"{DateTimeOffset.UtcNow.AddHours(-2):O}" }, Test.Token);
        var known = await RunAsync(account, "check");

        Assert.Equal((0, 1), (unknown.ExitCode, known.ExitCode));
        Assert.Contains("1 message, being processed or waiting for their next try\n", unknown.Output, StringComparison.Ordinal);
        Assert.Matches("1 message, being processed or waiting for their next try, the oldest 7[12]\\d\\d s old", known.Output);
    }

    [Theory]
    [InlineData(0, "the last one happened within the last hour")]
    [InlineData(-3, "the last one happened on ")]
    [InlineData(-100, "none in the last 30 days")]
    public async Task Check_tells_when_the_last_event_happened_and_counts_dead_letters(int days, string expected)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var time = DateTimeOffset.UtcNow.AddDays(days);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&rcpt=a@x.example&time={time:yyyy-MM-ddTHH:mm:ssZ}");
        await app.AcknowledgedAsync("no=event");
        await app.AcknowledgedAsync("no=event&either=1");
        await app.DrainedAsync();

        var run = await RunAsync(account, "check", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith(expected, (string?)run.Json[8]["detail"], StringComparison.Ordinal);
        var letters = run.Json.Single(line => (string?)line["check"] == $"table {DeadLetters.TableName}");
        Assert.Equal(2, (int)letters["deadLetters"]!);
        Assert.StartsWith("2 dead letters; ", (string?)letters["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-05-02T23:45:00Z", "2026-05-03T00:15:00Z")]
    [InlineData("2026-05-03T00:05:00Z", "2026-05-03T00:15:00Z")]
    [InlineData("2026-05-03T00:15:00Z", "2026-05-02T23:45:00Z")]
    public async Task Check_finds_the_last_hour_on_both_sides_of_midnight(string time, string now)
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&rcpt=a@x.example&time={time}");
        await app.DrainedAsync();

        var run = await ToolRun.RunAsync(account, DateTimeOffset.Parse(now, CultureInfo.InvariantCulture), "check", "--json");

        Assert.Equal("the last one happened within the last hour", (string?)run.Json[8]["detail"]);
    }

    [Fact]
    public async Task Check_says_once_that_the_key_is_wrong()
    {
        var account = azurite.NewAccount().Replace("AccountKey=a2V5", "AccountKey=d3Jvbmc=", StringComparison.Ordinal);

        var run = await RunAsync(account, "check", "--json");

        Assert.Equal(1, run.ExitCode);
        var line = Assert.Single(run.Json);
        Assert.Equal(("connection", false), ((string?)line["check"], (bool)line["ok"]!));
        Assert.Contains("Check the key in EventStorage", (string?)line["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_once_that_nobody_could_sign_in()
    {
        var folder = Directory.CreateTempSubdirectory("smtp2go-ingest-tool-");
        try
        {
            // No identity is ever sent without TLS: this fails before anything is sent.
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "local.settings.json"),
                """
                {
                  "Values": {
                    "EventStorage__queueServiceUri": "https://127.0.0.1:9/a",
                    "EventStorage__tableServiceUri": "https://127.0.0.1:9/a",
                    "EventStorage__blobServiceUri": "https://127.0.0.1:9/a",
                    "EventStorage__credential": "managedidentity"
                  }
                }
                """,
                Test.Token);

            var run = await ToolRun.RunAsync(["check"], null, folder.FullName);

            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith("problem  connection  ", run.Output, StringComparison.Ordinal);
            Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Check_names_the_service_for_which_a_role_is_missing()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var storage = builder.Build();
        storage.Run(context =>
        {
            var isQueue = context.Request.Path.Value!.Contains("smtp2go", StringComparison.Ordinal);
            context.Response.StatusCode = isQueue ? 403 : 404;
            context.Response.Headers["x-ms-error-code"] = isQueue ? "AuthorizationPermissionMismatch" : "TableNotFound";
            return Task.CompletedTask;
        });
        await storage.StartAsync(Test.Token);

        var account = Unreachable.Replace("http://127.0.0.1:9", storage.Urls.Single(), StringComparison.Ordinal);
        var run = await RunAsync(account, "check", "--json");

        Assert.Equal((1, 10), (run.ExitCode, run.Json.Count));
        Assert.True((bool)run.Json[0]["ok"]!);
        Assert.False((bool)run.Json[1]["ok"]!);
    }

    [Fact]
    public async Task Check_counts_no_more_than_a_thousand_dead_letters()
    {
        var account = azurite.NewAccount();
        var table = new TableClient(account, DeadLetters.TableName);
        await table.CreateAsync(Test.Token);
        List<TableEntity> letters = [.. Enumerable.Range(0, 1_001).Select(i => new TableEntity("2026-05-31", $"{i:0000}"))];
        Assert.All(await table.WriteAsync(TableTransactionActionType.Add, letters, Test.Token), Assert.Null);

        Assert.Contains("  1,000+ dead letters; ", (await RunAsync(account, "check")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_says_nothing_about_what_it_did_not_reach_and_ends_soon()
    {
        var started = Stopwatch.GetTimestamp();

        var run = await RunAsync(Unreachable, "check", "--json");

        Assert.Equal(1, run.ExitCode);
        var line = Assert.Single(run.Json);
        Assert.Equal(("connection", false), ((string?)line["check"], (bool)line["ok"]!));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Check_waits_ten_seconds_for_storage_that_accepts_the_connection_and_never_answers()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var account = Unreachable.Replace("127.0.0.1:9/", $"{silent.LocalEndpoint}/", StringComparison.Ordinal);

        var run = await RunAsync(account, "check").WaitAsync(TimeSpan.FromSeconds(30), Test.Token);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("did not answer within 10 seconds", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ok ", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("day")]
    [InlineData("dead-letters", "list")]
    public async Task An_account_out_of_reach_is_a_failure_in_one_line_without_the_key(params string[] args)
    {
        var run = await RunAsync(Unreachable, args);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("cannot be reached", run.Output + run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0LWtleQ", run.Output + run.Error, StringComparison.Ordinal);
        Assert.InRange(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 0, 1);
    }

    [Fact]
    public async Task A_wrong_key_is_a_failure_that_names_the_setting()
    {
        var account = azurite.NewAccount().Replace("AccountKey=a2V5", "AccountKey=d3Jvbmc=", StringComparison.Ordinal);

        var run = await RunAsync(account, "day");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("EventStorage", OneLine(run), StringComparison.Ordinal);
        Assert.DoesNotContain("d3Jvbmc", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("email")]
    [InlineData("day", "2026-13-01")]
    [InlineData("day", "last week")]
    [InlineData("day", "2026-05-02..2026-05-01")]
    [InlineData("day", "2026-05-01..")]
    [InlineData("find")]
    [InlineData("find", "--subject", " ")]
    [InlineData("bounces", "--days", "0d")]
    [InlineData("recipient", "a@example.org", "--limit", "0")]
    [InlineData("recipient", "a@example.org", "--since", "soon")]
    [InlineData("summary", "--days", "0")]
    [InlineData("summary", "--days", "many")]
    [InlineData("tail", "--interval", "-1")]
    [InlineData("export", "2026-05-02", "2026-05-01")]
    [InlineData("export", "2026-05-01", "2026-05-02", "--format", "xml")]
    [InlineData("export", "2026-05-01", "2026-05-02", "--output", "")]
    [InlineData("export", "2026-05-01", "2026-05-02", "--output", " ")]
    [InlineData("send", "explosion")]
    [InlineData("send", "open", "--count", "0")]
    [InlineData("send", "open", "--id", " ")]
    [InlineData("send", "open", "--recipient", "<>")]
    [InlineData("dead-letters", "drop")]
    [InlineData("dead-letters", "drop", "2026-05-01")]
    [InlineData("dead-letters", "drop", "2026-05-01", "row", "--reason", "poison")]
    [InlineData("day", "--connection", "AccountKey=c2VjcmV0LWtleQ==")]
    public async Task Wrong_usage_is_one_line_on_standard_error(params string[] args)
    {
        var run = await ToolRun.RunAsync(
            args.Contains("--connection") ? args : ["--connection", azurite.NewAccount(), .. args], null, AppContext.BaseDirectory);

        Assert.Equal((2, string.Empty), (run.ExitCode, run.Output));
        Assert.DoesNotContain("c2VjcmV0LWtleQ", OneLine(run), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_a_failure_in_one_line()
    {
        var run = await RunAsync(
            azurite.NewAccount(),
            "export",
            "2026-05-01",
            "2026-05-02",
            "--output",
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "x.csv"));

        Assert.Equal(1, run.ExitCode);
        OneLine(run);
    }

    [Fact]
    public async Task Settings_come_from_local_settings_in_the_current_folder()
    {
        var folder = Directory.CreateTempSubdirectory("smtp2go-ingest-tool-");
        try
        {
            var file = Path.Combine(folder.FullName, "local.settings.json");
            await File.WriteAllTextAsync(
                file,
                new JsonObject { ["Values"] = new JsonObject { ["EventStorage"] = azurite.NewAccount() } }.ToJsonString(),
                Test.Token);
            Assert.Equal(0, (await ToolRun.RunAsync(["check"], null, folder.FullName)).ExitCode);

            await File.WriteAllTextAsync(
                file, "{\"Values\": {\"EventStorage__tableServiceUri\": \"https://a.table.core.windows.net\"}}", Test.Token);
            var missing = await ToolRun.RunAsync(["check"], null, folder.FullName);
            Assert.Equal(2, missing.ExitCode);
            Assert.Contains("EventStorage__queueServiceUri", OneLine(missing), StringComparison.Ordinal);

            await File.WriteAllTextAsync(file, "{\"Values\": ", Test.Token);
            var broken = await ToolRun.RunAsync(["check"], null, folder.FullName);
            Assert.Equal(2, broken.ExitCode);
            Assert.Contains("local.settings.json", OneLine(broken), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task As_a_process_it_reads_the_environment_and_answers_by_exit_code_and_standard_output()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.StoreAsync("event=open&id=1&email_id=process-é&rcpt=a@example.org&time=2026-05-02T11:20:31Z");
        var start = new ProcessStartInfo("dotnet", [typeof(CommandContext).Assembly.Location, "email", "process-é", "--json"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["EventStorage"] = account;

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(Test.Token);
        var output = await process.StandardOutput.ReadToEndAsync(Test.Token);
        await process.WaitForExitAsync(Test.Token);

        Assert.Equal((0, string.Empty), (process.ExitCode, await error));
        Assert.Equal("process-é", (string?)JsonNode.Parse(output)!["PartitionKey"]);
    }

    private static Task<ToolRun> RunAsync(string connectionString, params string[] args) => ToolRun.RunAsync(connectionString, null, args);

    private static Task<ToolRun> SendAsync(IngestApp app, string account, string eventName, params string[] args)
    {
        var url = new UriBuilder(new Uri(app.Url, "webhook/smtp2go")) { UserName = IngestApp.Username, Password = IngestApp.Password };
        return RunAsync(account, ["send", eventName, "--to", url.Uri.ToString(), .. args]);
    }

    private static string OneLine(ToolRun run) => Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    private sealed class Lines : StringWriter
    {
        public Lines()
            : base(CultureInfo.InvariantCulture) => NewLine = "\n";

        public string[] All
        {
            get
            {
                lock (this)
                {
                    return ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
                }
            }
        }

        public override Task WriteLineAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
        {
            lock (this)
            {
                WriteLine(buffer.Span);
            }

            return Task.CompletedTask;
        }
    }
}
