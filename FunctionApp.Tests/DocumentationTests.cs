using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;
using Smtp2GoIngest.Tool.Commands;
using YamlDotNet.Serialization;

namespace Smtp2GoIngest.Tests;

/// <summary>What the documents name exists, and what exists is in them. A new document is covered automatically.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] ToolNames = ["smtp2go-ingest ", "dotnet run --project Tool -- "];

    // Placeholders for values that the option must accept.
    private static readonly Dictionary<string, string> Placeholders = new()
    {
        ["reason"] = "no-event",
        ["webhook URL"] = "https://example.com/webhook/smtp2go",
        ["command"] = "check",
    };

    // These have a slash but are not paths.
    private static readonly string[] NoPaths = ["application/json", "http/protobuf", "application/problem+json", "text/plain"];

    public static TheoryData<string> Documents => [.. MarkdownFile.All];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_leads_somewhere(string path)
    {
        foreach (var link in new MarkdownFile(path).Links.Where(link => !link.Contains("://", StringComparison.Ordinal)))
        {
            var (file, anchor) = link.Split('#') is [var before, var after] ? (before, after) : (link, string.Empty);
            var target = file.Length == 0 ? path : Path.Combine(Path.GetDirectoryName(path)!, file);
            Assert.True(Path.Exists(Path.Combine(Repository.Root, target)), link);
            Assert.True(anchor.Length == 0 || new MarkdownFile(target).Anchors.Contains(anchor), link);
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_path_in_backticks_exists(string path) => Assert.Equal([], new MarkdownFile(path).Quoted
        .Where(text => PathShape().IsMatch(text) && (text.Contains('/', StringComparison.Ordinal) || FileName().IsMatch(text)))
        .Where(text => !NoPaths.Contains(text) && !Repository.IsIgnored(text))
        .Where(text => !Path.Exists(Path.Combine(Repository.Root, text))));

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_command_of_the_tool_exists_as_written(string path)
    {
        var document = new MarkdownFile(path);
        var root = CommandTree();
        foreach (var command in document.CodeBlocks.SelectMany(block => block.Lines).Concat(document.Quoted).SelectMany(CommandsIn))
        {
            var errors = root.Parse(command).Errors;
            Assert.True(errors.Count == 0, $"{string.Join(' ', command)}: {string.Join(' ', errors.Select(error => error.Message))}");
        }
    }

    [Fact]
    public void Every_command_and_document_in_the_runbook_of_an_alert_exists()
    {
        var root = CommandTree();
        string[] runbooks = [.. CompiledInfrastructure.Alerts.Select(alert => (string)alert["properties"]!["description"]!)];
        string[] commands = [.. runbooks.SelectMany(text => CommandInRunbook().Matches(text)).Select(it => it.Groups["command"].Value)];
        string[] documents = [.. runbooks.SelectMany(text => DocumentInRunbook().Matches(text)).Select(it => it.Value)];

        Assert.Contains("bounces", commands);
        Assert.All(commands, command => Assert.Empty(root.Parse(command).Errors));
        Assert.Contains("docs/operations.md", documents);
        Assert.All(documents, document => Assert.Contains(document, MarkdownFile.All));
    }

    [Fact]
    public void Every_command_and_option_of_the_tool_is_in_a_document()
    {
        var text = AllText();
        var commands = Descendants(CommandTree()).Skip(1).ToList();
        var names = commands.Select(command => command.Name)
            .Concat(commands.SelectMany(command => command.Options).Select(option => option.Name));

        Assert.NotEmpty(commands);
        Assert.Equal([], names.Where(name => !text.Contains(name, StringComparison.Ordinal)).Distinct());
    }

    [Fact]
    public void Every_setting_is_in_a_document()
    {
        var settings = typeof(StorageOptions).Assembly.GetTypes()
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(SettingsOf)
            .ToList();

        Assert.Contains("Webhook__Password", settings);
        Assert.Contains("EventStorage", settings);
        Missing(settings);
    }

    [Fact]
    public void Every_column_of_ours_is_in_a_document() => Missing(typeof(ColumnNames)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.IsLiteral)
        .Select(field => (string)field.GetRawConstantValue()!));

    [Fact]
    public void Every_metric_is_in_a_document()
    {
        List<string> metrics = [];
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Scope == factory)
            {
                metrics.Add(instrument.Name);
            }
        };
        listener.Start();
        _ = new IngestMetrics(factory);

        Assert.Contains("webhooks.received", metrics);
        Missing(metrics);
    }

    [Fact]
    public async Task The_picture_is_what_the_tool_says_today()
    {
        var drawn = Path.GetTempFileName();
        await Picture.DrawAsync(drawn, Test.Token);

        var (now, shipped) = (await TextAsync(drawn), await TextAsync(Path.Combine(Repository.Root, "docs", "demo.svg")));
        File.Delete(drawn);
        Assert.True(now == shipped, "docs/demo.svg is out of date: dotnet run --project Local -- --picture docs/demo.svg");

        static async Task<string> TextAsync(string file) => (await File.ReadAllTextAsync(file, Test.Token)).ReplaceLineEndings("\n");
    }

    [Fact]
    public void Compose_starts_the_image_that_is_published_and_the_Azurite_that_is_tested()
    {
        var compose = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(
            File.ReadAllText(Path.Combine(Repository.Root, "compose.yaml")));
        var (app, storage) = (Service("app"), Service("storage"));
        var azurite = JsonNode.Parse(
            File.ReadAllText(Path.Combine(Repository.Root, "Lab", "azurite", "package.json")))!["dependencies"]!["azurite"]!;

        Assert.Equal($"mcr.microsoft.com/azure-storage/azurite:{azurite}", storage["image"]);
        Assert.Equal($"{Property("ContainerRepository")}:latest", app["image"]);
        Assert.EndsWith(";latest", Property("ContainerImageTags"), StringComparison.Ordinal);
        Assert.Equal("app", Property("ContainerUser"));
        Assert.All(
            ((List<object>)storage["ports"]).Concat((List<object>)app["ports"]),
            port => Assert.StartsWith("127.0.0.1:", (string)port, StringComparison.Ordinal));

        // It has no secret of its own, and accepts no empty one.
        Assert.StartsWith("${WEBHOOK_PASSWORD:?", (string)Settings()["Webhook__Password"], StringComparison.Ordinal);
        Assert.DoesNotContain("password", (string)Settings()["EventStorage"], StringComparison.OrdinalIgnoreCase);
        Assert.Contains("events:/data", (List<object>)storage["volumes"]);

        static string Property(string name) =>
            XElement.Load(Path.Combine(Repository.Root, "SelfHost", "SelfHost.csproj")).Descendants(name).Single().Value;

        Dictionary<object, object> Service(string name) =>
            (Dictionary<object, object>)((Dictionary<object, object>)compose["services"])[name];

        Dictionary<object, object> Settings() => (Dictionary<object, object>)app["environment"];
    }

    private static RootCommand CommandTree() => Smtp2GoIngest.Tool.Program.CreateRoot(
        new CommandContext(TextWriter.Null, TextWriter.Null, AppContext.BaseDirectory));

    private static IEnumerable<Command> Descendants(Command command) => command.Subcommands.SelectMany(Descendants).Prepend(command);

    private static IEnumerable<string[]> CommandsIn(string line)
    {
        var command = Comment().Replace(line, string.Empty);
        if (ToolNames.FirstOrDefault(name => command.StartsWith(name, StringComparison.Ordinal)) is { } tool)
        {
            var filled = Placeholder().Replace(
                Output().Replace(command[tool.Length..], "<webhook URL>"),
                match => Placeholders.GetValueOrDefault(match.Groups["name"].Value, "a-value-of-its-own"));
            yield return [.. CommandLineParser.SplitCommandLine(filled)];
        }
    }

    private static IEnumerable<string> SettingsOf(Type options) => options
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.CanWrite)
        .Select(property => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name
            ?? (property.Name == nameof(StorageOptions.ConnectionString) ? SectionOf(options) : $"{SectionOf(options)}__{property.Name}"));

    private static string SectionOf(Type options) =>
        options == typeof(StorageOptions) ? StorageOptions.Connection : (string)options.GetField("Section")!.GetRawConstantValue()!;

    private static void Missing(IEnumerable<string> names)
    {
        var quoted = MarkdownFile.All.SelectMany(path => new MarkdownFile(path).Quoted).ToHashSet(StringComparer.OrdinalIgnoreCase);
        Assert.Equal([], names.Where(name => !quoted.Contains(name)));
    }

    private static string AllText() =>
        string.Join('\n', MarkdownFile.All.Select(path => File.ReadAllText(Path.Combine(Repository.Root, path))));

    [GeneratedRegex(@"^[\w.-]+(?:/[\w.-]+)*/?$", RegexOptions.NonBacktracking)]
    private static partial Regex PathShape();

    [GeneratedRegex(
        @"\.(?:cs|csproj|json|md|sln|bicep|bicepparam|yml|yaml|http|proto|sh|props|targets|svg)$", RegexOptions.NonBacktracking)]
    private static partial Regex FileName();

    // A runbook is plain text: a command goes as far as its options have values.
    [GeneratedRegex("smtp2go-ingest (?<command>[a-z-]+(?: --[a-z-]+ [a-z0-9-]+)*)", RegexOptions.NonBacktracking)]
    private static partial Regex CommandInRunbook();

    [GeneratedRegex(@"docs/[a-z-]+\.md", RegexOptions.NonBacktracking)]
    private static partial Regex DocumentInRunbook();

    [GeneratedRegex(@"\s{2,}#.*$", RegexOptions.NonBacktracking)]
    private static partial Regex Comment();

    // The outputs of a deployment, in bash and in PowerShell.
    [GeneratedRegex(@"""?\$?\(output webhookUrl\)""?", RegexOptions.NonBacktracking)]
    private static partial Regex Output();

    [GeneratedRegex(@"<(?<name>[^<>]+)>", RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder();
}
