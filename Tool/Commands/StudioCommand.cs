using System.CommandLine;
using System.Net.Sockets;
using Smtp2GoIngest.Tool.Studio.Serving;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>The stored events in a browser.</summary>
internal static class StudioCommand
{
    public static Command Create(CommandContext context)
    {
        var page = new Argument<string?>("page")
        {
            Description = "The page to open: a Studio URL, even one from another machine, or a page such as health.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var port = new Option<int>("--port")
        {
            Description = "Port to listen on. Without this, any free port.",
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 1, 65_535),
        };
        var noBrowser = new Option<bool>("--no-browser") { Description = "Print the link without opening it." };
        var untilClosed = new Option<bool>("--until-closed") { Description = "Stop a few seconds after the last tab is closed." };
        var command = new Command(
            "studio", "Shows the stored events in a browser, on this machine only, and changes nothing. Press Ctrl+C to stop.")
        {
            page, port, noBrowser, untilClosed,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var server = await StartAsync(context, parsed, parsed.GetValue(port), cancellationToken);
            var opened = SharedLink.PageIn(parsed.GetValue(page));
            await context.Output.WriteLineAsync($"Studio shows {server.Account}. This link works once:");
            var link = await LinkAsync();
            await context.Output.WriteLineAsync("Press Enter for another link, Ctrl+C to stop.");
            await context.Output.FlushAsync(cancellationToken);
            if (context.IsInteractive && !parsed.GetValue(noBrowser))
            {
                await Browser.OpenAsync(link);
            }

            var ended = parsed.GetValue(untilClosed) ? server.Tabs.LastClosed : Task.Delay(Timeout.Infinite, cancellationToken);
            _ = Task.Run(LinksAsync, cancellationToken);
            await Task.WhenAny(ended, Task.Delay(Timeout.Infinite, cancellationToken));
            return ExitCode.Done;

            async Task<Uri> LinkAsync()
            {
                var made = server.NewLink(opened);
                await context.Output.WriteLineAsync(made.AbsoluteUri);
                await context.Output.FlushAsync(cancellationToken);
                return made;
            }

            async Task LinksAsync()
            {
                // Nothing can interrupt this. It ends with the process.
                while (Console.ReadLine() is not null)
                {
                    await LinkAsync();
                }
            }
        });
        return command;
    }

    private static async Task<StudioServer> StartAsync(
        CommandContext context, ParseResult parsed, int port, CancellationToken cancellationToken)
    {
        var storage = context.Studio(parsed);
        try
        {
            return await StudioServer.StartAsync(storage, context.Times(parsed), context.Time, port, cancellationToken);
        }
        catch (Exception e) when (port != 0 && e is IOException or SocketException)
        {
            throw new CommandFailedException($"Port {port} cannot be used. Leave out --port to use any free port.");
        }
    }
}
