using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tool.Commands;

internal static class ReparseCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command(
            "reparse",
            "Rebuilds each row's columns from its stored body, for example after a parser fix. Safe to interrupt and run again.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var changed = await context.RunAsync(parsed, "events", (services, progress) =>
                services.GetRequiredService<Rebuild>().ReparseAsync(progress, cancellationToken));
            await context.ReportAsync(parsed, [new Figure("changed", "Rows changed", changed)], cancellationToken);
            return ExitCode.Done;
        });
        return command;
    }
}
