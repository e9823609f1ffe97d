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
            "Checks that queues, tables and blobs can be reached and how much is waiting. Changes nothing; exits with 1 on a problem.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var check = new AccountCheck(context.Queues(parsed), context.Tables(parsed), context.Blobs(parsed));
            var allOk = true;
            await foreach (var finding in check.RunAsync(cancellationToken))
            {
                allOk &= finding.Ok;
                if (context.IsJson(parsed))
                {
                    await context.Output.WriteJsonAsync(ToJson(finding), cancellationToken);
                }
                else
                {
                    var said = finding.Ok ? Cell.Key("ok     ", Tint.Good) : Cell.Key("problem", Tint.Bad);
                    await context.WriteLinesAsync(
                        context.Lines([[said, Cell.Text($"{finding.Check}: {finding.Detail}")]]), cancellationToken);
                }
            }

            return allOk ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static JsonObject ToJson(Finding finding) => new()
    {
        ["check"] = finding.Check,
        ["ok"] = finding.Ok,
        ["detail"] = finding.Detail,
        ["messages"] = finding.Messages,
        ["oldestSeconds"] = finding.OldestSeconds,
    };
}
