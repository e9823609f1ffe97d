using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;
using ToolProgram = Smtp2GoIngest.Tool.Program;

namespace Smtp2GoIngest.Local;

/// <summary>README's picture: what the tool says about the sample events, at a fixed time, so that it changes only with the tool.</summary>
internal static class Picture
{
    private const int Width = 100;

    private static readonly DateTimeOffset Time = new(2026, 5, 2, 11, 20, 31, TimeSpan.Zero);

    private static readonly string[][] Commands = [["email", DemoEvents.Newsletter], ["recipient", "bob@example.net"]];

    public static async Task DrawAsync(string file, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("smtp2go-ingest-picture-");
        try
        {
            var place = new DemoPlace(Path.Combine(folder.FullName, "demo"), AzuritePorts.AnyFree, AppPort: 0, Smtp2GoPort: 0);
            using var data = DemoData.Open(place.DataFolder, fresh: false);
            data.TimeOfSamples(Time);
            using var quiet = new StringWriter();
            var steps = new Steps(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(quiet) }));
            await using var demo = await Demo.StartAsync(place, data, steps, cancellationToken);
            using var screen = new StringWriter { NewLine = "\n" };
            var tool = new CommandContext(screen, screen, folder.FullName) { Width = Width, HasColors = true };
            foreach (var command in Commands)
            {
                await screen.WriteLineAsync($"\e[2m$\e[0m \e[1msmtp2go-ingest {string.Join(' ', command)}\e[0m");
                await ToolProgram.RunAsync([.. command, "--utc", "--connection", demo.ConnectionString], tool, cancellationToken);
                await screen.WriteLineAsync();
            }

            await File.WriteAllTextAsync(file, TerminalPicture.Svg(screen.ToString().TrimEnd().Split('\n')), cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
