using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Tests;

/// <summary>What <c>infra/</c> compiles to, and what that would deploy with every option on.</summary>
internal static class CompiledInfrastructure
{
    private static readonly Lazy<(string Template, JsonNode[] Resources)> Compiled = new(Compile);

    public static string Template => Compiled.Value.Template;

    public static IReadOnlyList<JsonNode> Resources => Compiled.Value.Resources;

    /// <summary>The alerts whose condition is a query.</summary>
    public static IEnumerable<JsonNode> Alerts => Of("Microsoft.Insights/scheduledQueryRules");

    public static IEnumerable<JsonNode> Of(string type) => Resources.Where(r => r["type"]!.GetValue<string>() == type);

    public static string Name(JsonNode resource) => resource["name"]!.GetValue<string>().Split('/')[^1];

    public static string Query(JsonNode alert) =>
        Assert.Single(alert["properties"]!["criteria"]!["allOf"]!.AsArray())!["query"]!.GetValue<string>();

    private static (string Template, JsonNode[] Resources) Compile()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && RuntimeInformation.OSArchitecture == Architecture.X64,
            "The Bicep CLI is fetched only for Linux on x64.");

        var snapshot = new FileInfo(Path.Combine(Repository.Root, "artifacts", "everything.snapshot.json"));
        if (!snapshot.Exists
            || Repository.Files("infra").Any(file =>
                File.GetLastWriteTimeUtc(Path.Combine(Repository.Root, file)) > snapshot.LastWriteTimeUtc))
        {
            var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "infra", "build.sh")])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            };
            using var build = Process.Start(start)!;
            var errors = build.StandardError.ReadToEnd();
            build.WaitForExit();
            Assert.True(build.ExitCode == 0, errors);
        }

        // The compiled template with its modules, and the resources it leads to, with every expression resolved that can be without a
        // deployment.
        var predicted = JsonNode.Parse(File.ReadAllText(snapshot.FullName))!["predictedResources"]!.AsArray();
        return (File.ReadAllText(Path.Combine(Repository.Root, "artifacts", "main.json")), [.. predicted.Select(r => r!)]);
    }
}
