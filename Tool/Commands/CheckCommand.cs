using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

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
                    context.Console.Write(new Text(finding.Ok ? "ok       " : "problem  ", finding.Ok ? Color.Green : Color.Red));
                    context.Console.WriteLine($"{finding.Check}: {finding.Detail}");
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
