using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class CheckCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command(
            "check",
            "Checks whether queues, tables and blobs can be reached, and how much is waiting. Changes nothing; exits with 1 on a problem.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var check = new AccountCheck(context.Queues(parsed), context.Tables(parsed), context.Blobs(parsed), context.Time);
            var findings = await check.RunAsync(cancellationToken).ToListAsync(cancellationToken);
            await (context.IsJson(parsed)
                ? WriteJsonAsync(context, findings, cancellationToken)
                : context.WriteLinesAsync(context.Lines([.. findings.Select(Cells)]), cancellationToken));
            return findings.All(finding => finding.Ok) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static Cell[] Cells(Finding finding) =>
    [
        finding.Ok ? Cell.Key("ok", Tint.Good) : Cell.Key("problem", Tint.Bad), Cell.Key(finding.Check), Cell.Text(finding.Detail),
    ];

    private static async Task WriteJsonAsync(
        CommandContext context, IEnumerable<Finding> findings, CancellationToken cancellationToken)
    {
        foreach (var finding in findings)
        {
            await context.Output.WriteJsonAsync(ToJson(finding), cancellationToken);
        }
    }

    private static JsonObject ToJson(Finding finding) => new()
    {
        ["check"] = finding.Check,
        ["ok"] = finding.Ok,
        ["detail"] = finding.Detail,
        ["messages"] = finding.Messages,
        ["oldestSeconds"] = finding.OldestSeconds,
        ["deadLetters"] = finding.DeadLetters,
    };
}
