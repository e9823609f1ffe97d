using System.CommandLine;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What all commands share: where they write, the common options, and the storage account that those options name.</summary>
internal sealed class CommandContext
{
    // Keys and a few words beside them need this much. A narrower terminal wraps the lines itself.
    private const int MinWidth = 60;
    private const int UsualWidth = 80;

    private readonly string settingsFolder;
    private readonly Lazy<IConfiguration> settings;

    /// <param name="output">Results, and nothing else.</param>
    /// <param name="error">Errors and progress.</param>
    /// <param name="settingsFolder">The folder that may contain <c>local.settings.json</c>.</param>
    public CommandContext(TextWriter output, TextWriter error, string settingsFolder)
    {
        (Output, Error, this.settingsFolder) = (output, error, settingsFolder);
        settings = new Lazy<IConfiguration>(ReadSettings);
        var terminal = new AnsiConsoleOutput(output);
        var capabilities = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = terminal,
            Ansi = terminal.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        }).Profile;
        HasColors = capabilities.Capabilities is { Ansi: true, ColorSystem: not ColorSystem.NoColors };
        Width = terminal.IsTerminal ? capabilities.Width : TextLayout.Unlimited;
        ProgressWidth = (new AnsiConsoleOutput(error) is { IsTerminal: true, Width: > 1 and var width } ? width : UsualWidth) - 1;
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    /// <summary>The width that rows are laid out for: the terminal's, but no less than they need.</summary>
    public int Width
    {
        get;
        init => field = Math.Max(value, MinWidth);
    }

    /// <summary>What fits into a line of <see cref="Error"/> without moving the cursor to the next one.</summary>
    public int ProgressWidth { get; init; }

    /// <summary>True on a terminal that shows colours, without <c>NO_COLOR</c>.</summary>
    public bool HasColors { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Somebody may be watching <see cref="Error"/>, so progress is worth showing.</summary>
    public bool IsInteractive { get; init; } = !System.Console.IsErrorRedirected;

    public IConfiguration Settings => settings.Value;

    public Option<string?> Connection { get; } = new("--connection")
    {
        Description = "Connection string of the storage account; overrides the settings.",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Output for programs: one JSON document per line.",
        Recursive = true,
    };

    public Option<bool> Utc { get; } = new("--utc")
    {
        Description = "Show times in UTC, and read days as UTC. Without this, both are in the time zone of this machine.",
        Recursive = true,
    };

    public DateOnly Today => DateOnly.FromDateTime(Time.GetUtcNow().UtcDateTime);

    public DateOnly TodayIn(TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Time.GetUtcNow(), zone).DateTime);

    public TimeText Times(ParseResult parsed) => new(parsed.GetValue(Utc) ? TimeZoneInfo.Utc : Time.LocalTimeZone);

    public TableServiceClient Tables(ParseResult parsed) => StorageClients.Tables(StorageOf(parsed));

    public QueueServiceClient Queues(ParseResult parsed) => StorageClients.Queues(StorageOf(parsed), isPatient: true);

    public BlobServiceClient Blobs(ParseResult parsed) => StorageClients.Blobs(StorageOf(parsed), isPatient: true);

    public StudioStorage Studio(ParseResult parsed) => StudioStorage.Of(StorageOf(parsed));

    public bool IsJson(ParseResult parsed) => parsed.GetValue(Json);

    /// <summary>Writes the message to standard error and returns the exit code for it.</summary>
    public async Task<int> NothingFoundAsync(string message)
    {
        await Error.WriteLineAsync(MessageText.Of(message));
        return ExitCode.NothingFound;
    }

    private StorageOptions StorageOf(ParseResult parsed)
    {
        var options = new StorageOptions();
        if (parsed.GetValue(Connection) is { } connection)
        {
            options.ConnectionString = connection;
        }
        else
        {
            Settings.GetSection(StorageOptions.Connection).Bind(options);
            options.ConnectionString = Settings[StorageOptions.Connection];
        }

        var checkedOptions = new StorageOptionsValidator().Validate(null, options);
        return checkedOptions.Failed
            ? throw new CommandFailedException(checkedOptions.FailureMessage, ExitCode.WrongUsage)
            : options;
    }

    private IConfiguration ReadSettings()
    {
        try
        {
            return new ConfigurationBuilder()
                .AddInMemoryCollection(LocalSettings.Read(settingsFolder))
                .AddEnvironmentVariables()
                .Build();
        }
        catch (InvalidDataException)
        {
            throw new CommandFailedException(
                "local.settings.json in the current folder is not a JSON object. Fix it, or run the tool in another folder.",
                ExitCode.WrongUsage);
        }
    }
}
