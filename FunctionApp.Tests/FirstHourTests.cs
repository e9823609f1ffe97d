using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Tests.Tool;

namespace Smtp2GoIngest.Tests;

/// <summary>Runs the README's commands in order, against its own demo, and compares the output with what the README promises.</summary>
public sealed partial class FirstHourTests : IDisposable
{
    private const string Demo = "dotnet run --project Local";
    private const string Tests = "dotnet test";
    private const string Connection = "UseDevelopmentStorage=true";

    private static readonly string[] ToolNames = ["smtp2go-ingest ", "dotnet run --project Tool -- "];

    // No block is left out for any other reason, and each says so in a comment before it.
    private static readonly string[] Reasons = ["needs Azure", "installs", "it runs until Ctrl+C"];

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("smtp2go-ingest-first-hour-");

    [Fact]
    public async Task README_does_what_it_says()
    {
        DemoRun? demo = null;
        ToolRun? last = null;
        List<string> ran = [];
        try
        {
            foreach (var block in new MarkdownFile("README.md").CodeBlocks)
            {
                if (NotRun().Match(block.Comment) is { Success: true } skipped)
                {
                    Assert.Contains(skipped.Groups["reason"].Value, Reasons);
                    continue;
                }

                switch (block.Language)
                {
                    case "text":
                        Assert.Equal(Shape(string.Join('\n', block.Lines)), Shape(last!.Output));
                        break;
                    case "powershell":
                        Assert.Equal([$"$env:EventStorage = \"{Connection}\""], block.Lines);
                        break;
                    default:
                        foreach (var line in block.Lines)
                        {
                            if (line == Demo)
                            {
                                demo = await DemoRun.StartAsync(Path.Combine(root.FullName, "demo"));
                            }
                            else if (line == Tests)
                            {
                                // It is what runs this.
                                ran.Add(line);
                            }
                            else if (line == $"export EventStorage={Connection}")
                            {
                                Assert.NotEmpty(demo!.ConnectionString);
                            }
                            else
                            {
                                last = await RunToolAsync(demo!, line);
                                ran.Add(line);
                            }
                        }

                        break;
                }
            }
        }
        finally
        {
            await (demo?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        Assert.InRange(ran.Count, 6, 20);
        Assert.Contains(Tests, ran);
    }

    public void Dispose() => root.Delete(recursive: true);

    private async Task<ToolRun> RunToolAsync(DemoRun demo, string line)
    {
        var tool = ToolNames.FirstOrDefault(name => line.StartsWith(name, StringComparison.Ordinal));
        Assert.True(tool is not null, $"Not run in the tests, and not marked as such: {line}");
        string[] args = [.. CommandLineParser.SplitCommandLine(line[tool.Length..])];

        // The samples may be from yesterday by now.
        var samples = await File.ReadAllTextAsync(Path.Combine(root.FullName, "demo", "samples-from"), Test.Token);
        var now = DateTimeOffset.Parse(samples, CultureInfo.InvariantCulture) + DemoEvents.Span;
        var run = await ToolRun.RunAsync(
            demo.ConnectionString, now, args[0] == "send" ? [.. args, "--to", demo.Endpoint] : args);
        Assert.True(run is { ExitCode: 0, Error: "" }, $"{line}: {run.ExitCode} {run.Error}");
        return run;
    }

    // Times and random values differ.
    private static string Shape(string text) => MadeUpId().Replace(Time().Replace(text, "<time>"), "<id>").Trim();

    [GeneratedRegex(@"<!-- not run in the tests: (?<reason>[^>]+) -->", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex NotRun();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", RegexOptions.NonBacktracking)]
    private static partial Regex Time();

    [GeneratedRegex("1[0-9A-Za-z]{5}-[0-9A-F]{11}-[0-9A-F]{4}", RegexOptions.NonBacktracking)]
    private static partial Regex MadeUpId();
}
