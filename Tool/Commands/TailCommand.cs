using System.CommandLine;
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
            try
            {
                while (true)
                {
                    await foreach (var row in events.NextAsync(cancellationToken))
                    {
                        await (context.IsJson(parsed)
                            ? context.Output.WriteJsonAsync(row, cancellationToken)
                            : context.WriteLinesAsync(EventList.Lines(context, context.Times(parsed), row), cancellationToken));
                    }

                    await context.Output.FlushAsync(cancellationToken);
                    await Task.Delay(TimeSpan.FromSeconds(parsed.GetValue(interval)), context.Time, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCode.Done;
            }
        });
        return command;
    }
}
