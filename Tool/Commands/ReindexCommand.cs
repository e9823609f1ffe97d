using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tool.Commands;

internal static class ReindexCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command(
            "reindex",
            "Rebuilds the index tables from Smtp2GoEvents, and deletes index rows whose event is gone. Safe to interrupt and run again.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var events = await context.RunAsync(parsed, "events", (services, progress) =>
                services.GetRequiredService<Rebuild>().ReindexAsync(progress, cancellationToken));
            await context.ReportAsync(parsed, [new Figure("events", "Events indexed", events)], cancellationToken);
            return ExitCode.Done;
        });
        return command;
    }
}
