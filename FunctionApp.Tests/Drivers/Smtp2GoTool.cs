using System.Text.Json.Nodes;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Tests.Tool;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tests;

/// <summary>The tool with an account at SMTP2GO, on a clock that runs faster.</summary>
internal sealed class Smtp2GoTool : IAsyncDisposable
{
    public const string Key = "api-0123456789ABCDEF0123456789ABCDEF";

    private const int UsualWidth = 80;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("smtp2go-ingest-tool-");
    private readonly ScaledTime time;

    private Smtp2GoTool(string storage, Smtp2GoAccount account, Smtp2GoServer server, ScaledTime time)
    {
        (Storage, Account, Server, this.time) = (storage, account, server, time);
        Set(new() { ["Smtp2Go__ApiKey"] = Key, ["Smtp2Go__ApiUrl"] = server.Url });
    }

    public string Storage { get; }

    public Smtp2GoAccount Account { get; }

    public Smtp2GoServer Server { get; }

    /// <summary>Gets what the tool has said so far, as it says it, on either stream.</summary>
    public Action<string>? Watch { get; set; }

    public bool IsInteractive { get; set; }

    /// <param name="speed">How much faster: it also shortens the time that a call may take.</param>
    public static async Task<Smtp2GoTool> StartAsync(string storage, DateTimeOffset now, double speed)
    {
        var (account, time) = (new Smtp2GoAccount(now), new ScaledTime(now, speed));
        account.Keys.Add(new ApiKey(Key, "/activity/search", "/webhook/view"));
        return new Smtp2GoTool(storage, account, await Smtp2GoServer.StartAsync(account, time, port: 0, Test.Token), time);
    }

    /// <summary>Replaces the settings in the file.</summary>
    public void Set(Dictionary<string, string> settings) => File.WriteAllText(
        Path.Combine(folder.FullName, "local.settings.json"),
        new JsonObject
        {
            ["Values"] = new JsonObject(settings.Select(it => KeyValuePair.Create<string, JsonNode?>(it.Key, it.Value))),
        }.ToJsonString());

    public Task<ToolRun> RunAsync(params string[] args) => RunAsync(Test.Token, args);

    public async Task<ToolRun> RunAsync(CancellationToken cancellationToken, params string[] args)
    {
        using var output = new WatchedWriter(text => Watch?.Invoke(text));
        using var error = new WatchedWriter(text => Watch?.Invoke(text));
        var context = new CommandContext(output, error, folder.FullName)
        {
            IsInteractive = IsInteractive,
            ProgressWidth = UsualWidth - 1,
            Width = UsualWidth,
            Time = time,
        };
        var exitCode = await Smtp2GoIngest.Tool.Program.RunAsync(["--connection", Storage, "--utc", .. args], context, cancellationToken);
        var run = new ToolRun(exitCode, output.ToString(), error.ToString());
        Assert.DoesNotContain(Key, run.Output + run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("This is a bug", run.Error, StringComparison.Ordinal);
        return run;
    }

    /// <summary>Posts bodies to the app and waits until they are stored.</summary>
    public async Task StoreAsync(params string[] bodies)
    {
        await using var app = await IngestApp.StartAsync(Storage);
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private sealed class WatchedWriter(Action<string> watch) : StringWriter
    {
        public override string NewLine => "\n";

        public override void Write(string? value)
        {
            base.Write(value);
            watch(ToString());
        }

        public override async Task WriteLineAsync(string? value)
        {
            await base.WriteLineAsync(value);
            watch(ToString());
        }
    }
}
