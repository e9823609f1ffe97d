using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Tests;

/// <summary>
/// The KQL of the alerts and of their runbooks, as far as it can be checked without Azure: Microsoft's own parser knows every name and
/// type in it.
/// </summary>
public sealed partial class AlertQueryTests
{
    [Fact]
    public async Task Every_query_of_an_alert_a_runbook_or_a_document_is_sound()
    {
        var alerts = CompiledInfrastructure.Alerts
            .Select(alert => (Name: CompiledInfrastructure.Name(alert), Query: CompiledInfrastructure.Query(alert)))
            .ToList();
        var inTexts = CompiledInfrastructure.Alerts
            .Select(alert => (Name: $"runbook of {CompiledInfrastructure.Name(alert)}", Text: (string)alert["properties"]!["description"]!))
            .Concat(MarkdownFile.All.Select(path => (Name: path, Text: File.ReadAllText(Path.Combine(Repository.Root, path)))))
            .SelectMany(it => QueryInText().Matches(it.Text).Select((match, i) => (Name: $"{it.Name} {i + 1}", Query: match.Value)))
            .ToList();

        Assert.Equal(13, alerts.Count);
        Assert.True(inTexts.Count >= 6);
        Assert.Empty(await Kql.ProblemsAsync(alerts.Concat(inTexts).ToDictionary(it => it.Name, it => it.Query)));
    }

    // The parser's words, after the line and the column.
    [Fact]
    public async Task A_broken_query_is_refused()
    {
        var broken = new Dictionary<string, string>
        {
            ["customMetrics | where nam == 'events.bounced'"] = "1:23 The name 'nam' ",
            ["customMetrics\n| summarize value = summ(valueSum)"] = "2:21 The name 'summ' ",
            ["customMetrics | summarize value = sum(name)"] = "1:39 The argument value must be summable",
            ["customMetrics | project value = iff(valueSum, 1, 0)"] = "1:37 A value of type bool expected",
            ["customMetrics | where name = 'events.bounced'"] = "1:23 The expression must have the type bool",
            ["customMetrics | summarize sum(valueSum) by customDimensions.class"] = "is not allowed in this context",
            ["customMetric | count"] = "1:1 The name 'customMetric' ",
            ["customMetrics | wher name == 'events.bounced'"] = "1:17 ",
            ["customMetrics | project valueSum | where name == 'events.bounced'"] = "1:42 The name 'name' ",
            ["customMetrics | where name == 'events.bounced"] = "1:46 Missing: '",
        };

        var problems = await Kql.ProblemsAsync(broken.Keys.ToDictionary(query => query));

        Assert.All(broken, it => Assert.Contains(problems, line =>
            line.StartsWith($"{it.Key.Split('\n')[^1]}:", StringComparison.Ordinal) && line.Contains(it.Value, StringComparison.Ordinal)));
    }

    // From the table to the end of the line, and on over lines that begin with a pipe.
    [GeneratedRegex(@"customMetrics *\|[^`\n]+(?:\n *\|[^`\n]+)*", RegexOptions.NonBacktracking)]
    private static partial Regex QueryInText();
}
