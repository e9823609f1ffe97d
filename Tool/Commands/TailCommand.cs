using System.CommandLine;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events as they are stored.</summary>
internal static class TailCommand
{
    public static Command Create(CommandContext context)
    {
        var interval = new Option<double>("--interval")
        {
            Description = "Seconds between checks.",
            DefaultValueFactory = _ => 2,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 0.1, 3_600),
        };
        var days = new Option<int>("--days")
        {
            Description = "How late an event may arrive: only events that happened within this many days are shown, and test events.",
            DefaultValueFactory = _ => 3,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 0, 3_660),
        };
        var command = new Command(
            "tail", "Shows events as they are stored, starting with the last 30 seconds. Press Ctrl+C to stop.") { interval, days };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var events = new NewEvents(context.Tables(parsed), TimeSpan.FromDays(parsed.GetValue(days)));
            var times = context.Times(parsed);
            await FollowAsync(context, events, TimeSpan.FromSeconds(parsed.GetValue(interval)), WriteAsync, cancellationToken);
            return ExitCode.Done;

            Task WriteAsync(TableEntity row) => context.IsJson(parsed)
                ? context.Output.WriteJsonAsync(row, cancellationToken)
                : context.WriteLinesAsync(EventList.Lines(context, times, row), cancellationToken);
        });
        return command;
    }

    /// <summary>Writes each event as it is stored, until it is cancelled.</summary>
    public static async Task FollowAsync(
        CommandContext context, NewEvents events, TimeSpan interval, Func<TableEntity, Task> write, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await foreach (var row in events.NextAsync(cancellationToken))
                {
                    await write(row);
                }

                await context.Output.FlushAsync(cancellationToken);
                await Task.Delay(interval, context.Time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }
}
