using System.Text.Json;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Tests;

/// <summary>Checks and evaluates KQL with the programs in <c>infra/kql</c>, which build on Microsoft's own parser.</summary>
internal static class Kql
{
    private static readonly string Folder = Path.Combine(Repository.Root, "infra", "kql");

    // Each starts in a second.
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>What is wrong with queries by name, one line for each problem: name, line, column and the parser's words.</summary>
    public static async Task<string[]> ProblemsAsync(IReadOnlyDictionary<string, string> queries)
    {
        var (exitCode, output) = await RunAsync("check.js", JsonSerializer.Serialize(queries));
        var problems = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(problems.Length > 0 ? 1 : 0, exitCode);
        return problems;
    }

    /// <summary>The value of each query for each table of rows of customMetrics.</summary>
    /// <exception cref="InvalidOperationException">A query is broken, or uses what the evaluator does not know.</exception>
    public static async Task<double[][]> EvaluateAsync(IEnumerable<string> queries, IEnumerable<JsonArray> tables)
    {
        var input = new JsonObject
        {
            ["queries"] = new JsonArray([.. queries.Select(query => (JsonNode)query)]),
            ["tables"] = new JsonArray([.. tables]),
        };
        var (_, output) = await RunAsync("evaluate.js", input.ToJsonString());
        return JsonSerializer.Deserialize<double[][]>(output)!;
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string input)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        timeout.CancelAfter(Timeout);
        await NpmInstallation.InstallAsync(Folder, "the parser of KQL", progress: null, timeout.Token);
        using var node = NpmInstallation.Start(Folder, "node", [program]);
        try
        {
            var output = node.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = node.StandardError.ReadToEndAsync(timeout.Token);
            await node.StandardInput.WriteAsync(input.AsMemory(), timeout.Token);
            node.StandardInput.Close();
            await node.WaitForExitAsync(timeout.Token);
            return await errors is { Length: > 0 } failure
                ? throw new InvalidOperationException(failure)
                : (node.ExitCode, await output);
        }
        finally
        {
            node.Kill();
        }
    }
}
