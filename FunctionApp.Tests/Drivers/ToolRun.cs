using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What the tool said, run in this process through its own command tree.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    public IReadOnlyList<JsonObject> Json =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject())];

    public static Task<ToolRun> RunAsync(string connectionString, DateTimeOffset? now, params string[] args) =>
        RunAsync(["--connection", connectionString, .. args], now, AppContext.BaseDirectory);

    /// <param name="width">Of the terminal.</param>
    /// <param name="zone">Of the machine; UTC where a time is given.</param>
    public static async Task<ToolRun> RunAsync(
        string[] args, DateTimeOffset? now, string settingsFolder, int? width = null, TimeZoneInfo? zone = null)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var time = new FakeTimeProvider(now ?? DateTimeOffset.UtcNow);
        time.SetLocalTimeZone(zone ?? TimeZoneInfo.Utc);
        var context = new CommandContext(output, error, settingsFolder)
        {
            IsInteractive = false,
            Width = width ?? TextLayout.Unlimited,
            Time = now is null ? TimeProvider.System : time,
        };
        var exitCode = await Smtp2GoIngest.Tool.Program.RunAsync(args, context, Test.Token);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }
}
