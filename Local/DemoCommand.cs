using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;
using Smtp2GoIngest.Tool.Studio;
using Smtp2GoIngest.Tool.Studio.Serving;
using Spectre.Console;
using ToolProgram = Smtp2GoIngest.Tool.Program;

namespace Smtp2GoIngest.Local;

/// <summary>The demo as somebody sees it: what is stored, what to do next, and each event that arrives.</summary>
internal sealed class DemoCommand
{
    private const string Usage = """
        Usage: dotnet run --project Local [-- <options>]
               dotnet run --project Local -- --picture <file.svg>

          --smtp2go     Adds a day's mail of which some events never arrived, and an
                        SMTP2GO of our own, so that the tool can find them.
          --once        Shows what is stored, and exits.
          --fresh       Deletes what earlier demos stored.
          --no-browser  Prints the link to Studio without opening it.
          --picture     Draws the README's picture of the tool, and exits.
        """;

    private static readonly string[] Options = ["--smtp2go", "--once", "--fresh", "--no-browser"];

    // How often it looks for events that have arrived.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // SMTP2GO's test button sends events from 2019.
    private static readonly TimeSpan Lateness = TimeSpan.FromDays(3_650);

    private readonly TextWriter output;
    private readonly CommandContext tool;
    private readonly IAnsiConsole console;

    private DemoCommand(TextWriter output, TextWriter error)
    {
        this.output = output;
        tool = new CommandContext(output, error, AppContext.BaseDirectory);
        console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
    }

    /// <returns>0; 1 if it failed or was interrupted before it was up; 2 for unknown arguments.</returns>
    public static async Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, DemoPlace place, CancellationToken cancellationToken)
    {
        if (args is ["--help" or "-h" or "-?"])
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }

        if (args is not ["--picture", _] && args.Except(Options).ToList() is { Count: > 0 } unknown)
        {
            await error.WriteLineAsync($"Unknown argument '{unknown[0]}'.{Environment.NewLine}{Usage}");
            return 2;
        }

        try
        {
            var demo = new DemoCommand(output, error);
            await (args is ["--picture", var file]
                ? Picture.DrawAsync(file, cancellationToken)
                : demo.RunAsync(place, args, cancellationToken));
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 1;
        }
        catch (Exception e) when (Explain(e) is { } problem)
        {
            await error.WriteLineAsync(problem);
            return 1;
        }
    }

    // A storage exception's own text has a dozen lines.
    internal static string? Explain(Exception e) =>
        e is InvalidOperationException or HttpRequestException or OperationCanceledException ? e.Message : FailureText.Explain(e);

    private async Task RunAsync(DemoPlace place, string[] args, CancellationToken cancellationToken)
    {
        var steps = new Steps(console);
        if (!AzuriteInstallation.IsInstalled)
        {
            const string What = "Installing Azurite from npm (first start only)";
            await steps.RunAsync(What, say => AzuriteInstallation.InstallAsync(
                new Progress<long>(bytes => say($"{What}: {Megabytes(bytes)} of {Megabytes(AzuriteInstallation.Size)} MB")),
                cancellationToken));
        }

        using var data = DemoData.Open(place.DataFolder, args.Contains("--fresh"));
        if (!data.IsKept)
        {
            Say("Another demo is running. This one uses other ports, and its own data, which is deleted when it ends.");
            place = place with { Storage = AzuritePorts.AnyFree, AppPort = 0, Smtp2GoPort = 0 };
        }

        await using var demo = await Demo.StartAsync(place, data, steps, cancellationToken);
        await using var smtp2Go = args.Contains("--smtp2go")
            ? await DemoSmtp2Go.StartAsync(place, data, demo, steps, cancellationToken)
            : null;
        await SayPortsAsync(place, demo, smtp2Go);
        await ShowEmailsAsync(demo, cancellationToken);
        if (smtp2Go is not null)
        {
            await NextSteps.WriteLostAsync(output, smtp2Go);
        }

        if (args.Contains("--once"))
        {
            return;
        }

        // Skips what is already stored: it has been shown.
        var events = new NewEvents(new TableServiceClient(demo.ConnectionString), Lateness);
        await foreach (var _ in events.NextAsync(cancellationToken))
        {
        }

        await using var studio = await StudioServer.StartAsync(
            StudioStorage.Of(new StorageOptions { ConnectionString = demo.ConnectionString }),
            new TimeText(tool.Time.LocalTimeZone),
            tool.Time,
            port: 0,
            cancellationToken);
        var link = studio.NewLink(StudioLinks.Overview);
        await NextSteps.WriteAsync(console, output, demo, smtp2Go, link);
        _ = Task.Run(MakeLinks, cancellationToken);
        if (tool.IsInteractive && !args.Contains("--no-browser"))
        {
            await Browser.OpenAsync(link);
        }

        console.MarkupLine("\n[bold]Events as they arrive[/] (Ctrl+C stops everything)");
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, demo.Stopping);
        await ShowNewEventsAsync(events, ending.Token);
        Say(data.IsKept ? "Stopping. The next start has the same data, unless you add -- --fresh." : "Stopping.");

        // Nothing can interrupt this. It ends with the process.
        void MakeLinks()
        {
            while (Console.ReadLine() is not null)
            {
                Say(studio.NewLink(StudioLinks.Overview).AbsoluteUri);
            }
        }
    }

    private async Task SayPortsAsync(DemoPlace place, Demo demo, DemoSmtp2Go? smtp2Go)
    {
        (string Of, int Usual, int Now)[] ports =
        [
            ("the app", place.AppPort, demo.Endpoint.Port),
            ("the blob service", place.Storage.Blob, demo.StoragePorts.Blob),
            ("the queue service", place.Storage.Queue, demo.StoragePorts.Queue),
            ("the table service", place.Storage.Table, demo.StoragePorts.Table),
            ("SMTP2GO", place.Smtp2GoPort, smtp2Go?.Url.Port ?? place.Smtp2GoPort),
        ];
        foreach (var port in ports.Where(port => port.Usual != 0 && port.Usual != port.Now))
        {
            await output.WriteLineAsync($"Port {port.Usual} is taken: {port.Of} uses {port.Now} instead.");
        }
    }

    private async Task ShowEmailsAsync(Demo demo, CancellationToken cancellationToken)
    {
        foreach (var id in (string[])[DemoEvents.Order, DemoEvents.Newsletter])
        {
            console.MarkupLineInterpolated($"\n[bold]smtp2go-ingest email {id}[/]");
            var shown = await ToolProgram.RunAsync(["email", id, "--connection", demo.ConnectionString], tool, cancellationToken);
            if (shown == ExitCode.NothingFound)
            {
                Say("It was deleted. Add -- --fresh to start over.");
            }
            else if (shown != ExitCode.Done)
            {
                throw new InvalidOperationException("The stored events could not be shown.");
            }
        }
    }

    private Task ShowNewEventsAsync(NewEvents events, CancellationToken cancellationToken)
    {
        var times = new TimeText(tool.Time.LocalTimeZone);
        return TailCommand.FollowAsync(
            tool,
            events,
            Interval,
            row => tool.WriteLinesAsync(EventList.Lines(tool, times, row), cancellationToken),
            cancellationToken);
    }

    private void Say(string text) => output.WriteLine(text);

    private static string Megabytes(long bytes) => (bytes / 1_000_000).ToString(CultureInfo.InvariantCulture);
}
