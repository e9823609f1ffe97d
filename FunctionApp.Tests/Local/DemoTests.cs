using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Tool;

namespace Smtp2GoIngest.Tests.Local;

public sealed partial class DemoTests : IDisposable
{
    private const string ToolCommand = "dotnet run --project Tool -- ";
    private const string Reconcile = ToolCommand + "reconcile ";

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("smtp2go-ingest-demo-test-");

    private string Folder => Path.Combine(root.FullName, "demo");

    [Fact]
    public async Task What_it_prints_works()
    {
        await using var demo = await DemoRun.StartAsync(Folder);

        foreach (var id in (string[])[DemoEvents.Order, DemoEvents.Newsletter, DemoEvents.Invoice, DemoEvents.Sms])
        {
            Assert.Equal(0, (await ToolRun.RunAsync(demo.ConnectionString, now: null, "email", id)).ExitCode);
        }

        Assert.Equal(demo.ConnectionString, demo.After("$env:EventStorage = \"").Split('"')[0]);
        Assert.Contains($"curl -i -u {Demo.Username}:{Demo.Password}", demo.Output, StringComparison.Ordinal);
        Assert.Contains($"-- email {DemoEvents.Order}", demo.Output, StringComparison.Ordinal);
        Assert.Equal(
            "open processed bounce click delivered reject resubscribe sms_delivered spam unsubscribe".Split(' ').Order(),
            (await RowsAsync(demo)).Select(row => row.GetString("event")).Distinct().Order());
    }

    [Fact]
    public async Task An_event_that_arrives_is_shown()
    {
        await using var demo = await DemoRun.StartAsync(Folder);

        var sent = await ToolRun.RunAsync(
            ["send", "open", "--to", demo.Endpoint, "--user", Demo.Username, "--password", Demo.Password], now: null, root.FullName);

        Assert.Equal((0, string.Empty), (sent.ExitCode, sent.Error));
        var id = sent.Output.Trim().Split(' ')[^1];
        await Eventually.Get(() => Task.FromResult(demo.Output), text => text.Contains(id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_event_that_happened_long_ago_is_shown_as_well()
    {
        await using var demo = await DemoRun.StartAsync(Folder);
        using var client = new HttpClient();
        using var content = new StringContent("event=open&email_id=of-long-ago&rcpt=a@example.org&time=2019-06-18T16:10:32Z");
        using var request = new HttpRequestMessage(HttpMethod.Post, demo.Endpoint) { Content = content };
        request.Headers.Authorization = new("Bearer", Demo.Password);

        using var answer = await client.SendAsync(request, Test.Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.Get(() => Task.FromResult(demo.Output), text => text.Contains("of-long-ago", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_start_adds_nothing_and_fresh_forgets_what_was_added()
    {
        var neighbour = Path.Combine(root.FullName, "neighbour");
        await File.WriteAllTextAsync(neighbour, "not the demo's", Test.Token);
        IReadOnlyList<TableEntity> first;
        await using (var demo = await DemoRun.StartAsync(Folder))
        {
            await new TableClient(demo.ConnectionString, EventStore.TableName).AddEntityAsync(new TableEntity("own", "row"), Test.Token);
            first = await RowsAsync(demo);
            Assert.Equal(0, await demo.StopAsync());
        }

        await using (var demo = await DemoRun.StartAsync(Folder))
        {
            Assert.Equal(Keys(first), Keys(await RowsAsync(demo)));
            Assert.DoesNotContain("Posting", demo.Output, StringComparison.Ordinal);
        }

        await using (var demo = await DemoRun.StartAsync(Folder, "--fresh"))
        {
            var rows = await RowsAsync(demo);
            Assert.Equal(first.Count - 1, rows.Count);
            Assert.DoesNotContain(rows, row => row.PartitionKey == "own");
        }

        Assert.Equal("not the demo's", await File.ReadAllTextAsync(neighbour, Test.Token));
    }

    [Fact]
    public async Task A_start_that_was_cut_short_posts_the_same_events_again()
    {
        await using (var demo = await DemoRun.StartAsync(Folder))
        {
            Assert.Equal(0, await demo.StopAsync());
        }

        File.Delete(Path.Combine(Folder, "samples-stored"));
        await using (var demo = await DemoRun.StartAsync(Folder))
        {
            Assert.Contains("Posting", demo.Output, StringComparison.Ordinal);
            Assert.Equal(16, (await RowsAsync(demo)).Count);
            var letters = await ToolRun.RunAsync(demo.ConnectionString, now: null, "dead-letters", "list", "--json");
            Assert.Empty(letters.Output);
        }
    }

    [Fact]
    public async Task Two_demos_at_a_time_do_not_share_their_data()
    {
        await using var first = await DemoRun.StartAsync(Folder);
        await using var second = await DemoRun.StartAsync(Folder, "--fresh");

        Assert.Contains("Another demo is running.", second.Output, StringComparison.Ordinal);
        Assert.NotEqual(first.ConnectionString, second.ConnectionString);
        Assert.Equal(0, await second.StopAsync());
        Assert.Equal(16, (await RowsAsync(first)).Count);
    }

    [Fact]
    public async Task With_once_it_shows_the_emails_and_ends()
    {
        using var output = new StringWriter();

        Assert.Equal(0, await DemoCommand.RunAsync(["--once"], output, output, DemoRun.PlaceIn(Folder), Test.Token));

        Assert.Contains($"smtp2go-ingest email {DemoEvents.Order}", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Ctrl+C", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_smtp2go_the_tool_finds_what_never_arrived_and_fills_it_in()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var output = new StringWriter();

        // So that the samples are old enough to be compared.
        Directory.CreateDirectory(Folder);
        var earlier = DateTimeOffset.UtcNow.AddHours(-1).ToString("O", CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Path.Combine(Folder, "samples-from"), earlier, Test.Token);
        Assert.Equal(0, await DemoCommand.RunAsync(
            ["--smtp2go", "--once"], output, output, DemoRun.PlaceIn(Folder) with { Smtp2GoPort = port }, Test.Token));
        Assert.Contains($"Port {port} is taken: SMTP2GO uses ", output.ToString(), StringComparison.Ordinal);
        var lost = LostIn(output.ToString());
        Assert.InRange(lost, 20, 200);

        await using var demo = await DemoRun.StartAsync(Folder, "--smtp2go");
        Assert.DoesNotContain("Sending", demo.Output, StringComparison.Ordinal);
        Assert.Equal(lost, LostIn(demo.Output));
        var lines = demo.Output.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith(Reconcile, StringComparison.Ordinal))
            .Select(line => line[ToolCommand.Length..].Split(' '))
            .ToList();
        Assert.Equal(3, lines.Count);

        Assert.Contains("click", (await RunToolAsync(demo, "check", "--smtp2go")).Output, StringComparison.Ordinal);
        var found = await RunToolAsync(demo, lines[0]);
        Assert.Equal((1, lost), (found.ExitCode, found.Json[^1]["missing"]!.GetValue<int>()));
        Assert.Equal(0, (await RunToolAsync(demo, lines[1])).ExitCode);
        var last = await Eventually.Get(() => RunToolAsync(demo, lines[2]), run => run.ExitCode == 0);
        Assert.Equal("0 0", $"{last.Json[^1]["missing"]} {last.Json[^1]["surplus"]}");
    }

    [Fact]
    public async Task A_day_s_mail_that_was_cut_short_is_sent_again_and_is_the_very_same()
    {
        IReadOnlyList<TableEntity> first;
        int lost;
        await using (var demo = await DemoRun.StartAsync(Folder, "--smtp2go"))
        {
            (first, lost) = (await RowsAsync(demo), LostIn(demo.Output));
            Assert.Equal(0, await demo.StopAsync());
        }

        File.Delete(Path.Combine(Folder, "smtp2go-lost"));
        await using (var demo = await DemoRun.StartAsync(Folder, "--smtp2go"))
        {
            Assert.Contains("Sending", demo.Output, StringComparison.Ordinal);
            Assert.Equal(lost, LostIn(demo.Output));
            Assert.Equal(Keys(first), Keys(await RowsAsync(demo)));
            Assert.Empty((await ToolRun.RunAsync(demo.ConnectionString, now: null, "dead-letters", "list", "--json")).Output);
        }
    }

    [Theory]
    [InlineData("--onec")]
    [InlineData("--once", "7071")]
    public async Task An_unknown_argument_is_named(params string[] args)
    {
        using var error = new StringWriter();

        Assert.Equal(2, await DemoCommand.RunAsync(args, TextWriter.Null, error, DemoRun.PlaceIn(Folder), Test.Token));

        Assert.StartsWith($"Unknown argument '{args[^1]}'.", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("--fresh", error.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_replaced_and_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var output = new StringWriter();
        var place = DemoRun.PlaceIn(Folder) with { AppPort = port, Storage = new AzuritePorts(0, port, 0) };

        Assert.Equal(0, await DemoCommand.RunAsync(["--once"], output, output, place, Test.Token));

        Assert.Contains($"Port {port} is taken: the app uses ", output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"Port {port} is taken: the queue service uses ", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_free_port_is_used()
    {
        var port = FreePort();
        await using var running = await Azurite.StartAsync(
            dataFolder: null, [], new AzuritePorts(0, 0, port).OrFree(), Test.Token);

        Assert.Equal(port, running.Ports.Table);
        Assert.Contains($":{port}/devstoreaccount1", running.ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public void The_usual_ports_are_those_that_func_and_Storage_Explorer_look_at()
    {
        Assert.Equal(new AzuritePorts(10000, 10001, 10002), DemoPlace.Usual.Storage);
        Assert.Equal(7071, DemoPlace.Usual.AppPort);
    }

    [Fact]
    public async Task Azurite_ends_if_the_app_cannot_be_built()
    {
        const int NoPort = 70_000;
        var port = FreePort();
        var place = DemoRun.PlaceIn(Folder) with { AppPort = NoPort, Storage = new AzuritePorts(0, 0, port) };
        using var data = DemoData.Open(Folder, fresh: false);
        var steps = new Steps(Spectre.Console.AnsiConsole.Create(new() { Out = new Spectre.Console.AnsiConsoleOutput(TextWriter.Null) }));

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Demo.StartAsync(place, data, steps, Test.Token));

        using var client = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(IPAddress.Loopback, port, Test.Token).AsTask());
    }

    [Fact]
    public void Only_a_lock_that_somebody_has_means_another_demo()
    {
        var file = Path.Combine(root.FullName, "lock");
        using (FileLock.TryOpen(file))
        {
            Assert.Null(FileLock.TryOpen(file));
        }

        using var again = FileLock.TryOpen(file);
        Assert.NotNull(again);
        Assert.Throws<PathTooLongException>(() => FileLock.TryOpen(file + new string('x', 300)));
    }

    [Fact]
    public void A_storage_failure_is_told_in_one_line() => Assert.Equal(
        "Storage failed: TableBeingDeleted (409). Try again; `smtp2go-ingest check` shows more.",
        DemoCommand.Explain(new Azure.RequestFailedException(409, "The table is\nbeing deleted.\nHeaders:", "TableBeingDeleted", null)));

    // Below those that the system gives to whoever asks for any port.
    private static int FreePort() => Enumerable
        .Repeat(0, 100)
        .Select(_ => Random.Shared.Next(20_000, 30_000))
        .First(port => AzuritePorts.OrFree(port) != 0);

    private static int LostIn(string output) =>
        int.Parse(LostText().Match(output).Groups["count"].Value, CultureInfo.InvariantCulture);

    private async Task<ToolRun> RunToolAsync(DemoRun demo, params string[] args)
    {
        var values = new JsonObject
        {
            ["Smtp2Go__ApiUrl"] = demo.After("export Smtp2Go__ApiUrl="),
            ["Smtp2Go__ApiKey"] = demo.After("export Smtp2Go__ApiKey="),
        };
        await File.WriteAllTextAsync(
            Path.Combine(root.FullName, "local.settings.json"), new JsonObject { ["Values"] = values }.ToJsonString(), Test.Token);
        return await ToolRun.RunAsync(["--connection", demo.ConnectionString, .. args, "--json"], now: null, root.FullName);
    }

    [GeneratedRegex(@"(?<count>\d+) of their events never arrived", RegexOptions.NonBacktracking)]
    private static partial Regex LostText();

    public void Dispose() => root.Delete(recursive: true);

    private static async Task<IReadOnlyList<TableEntity>> RowsAsync(DemoRun demo) =>
        await new TableClient(demo.ConnectionString, EventStore.TableName).QueryAsync<TableEntity>(cancellationToken: Test.Token)
            .ToListAsync(Test.Token);

    private static IEnumerable<string> Keys(IEnumerable<TableEntity> rows) => rows.Select(row => $"{row.PartitionKey}/{row.RowKey}");
}
