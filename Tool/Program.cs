using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tool;

internal static class Program
{
    private const int BlockSize = 64 * 1024;

    private const string Description = """
        Answers questions about the events that Smtp2GoIngest has stored.

        It finds the storage account the way the app does: from EventStorage, or from EventStorage__tableServiceUri and the
        other service URIs, in the environment or in the Values of local.settings.json in the current folder.

        Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage or settings, 3 nothing found.
        """;

    public static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

        // To a file or another program in blocks: the console's own writer would make a system call for every line.
        // Written out at the end of the run; after a failure of that, its disposal would only fail again.
        var output = Console.IsOutputRedirected
            ? new StreamWriter(Console.OpenStandardOutput(), Console.OutputEncoding, BlockSize)
            : Console.Out;
        return await RunAsync(args, new CommandContext(output, Console.Error, Directory.GetCurrentDirectory()), CancellationToken.None);
    }

    public static async Task<int> RunAsync(string[] args, CommandContext context, CancellationToken cancellationToken)
    {
        var exitCode = ExitCode.Failed;
        try
        {
            exitCode = await InvokeAsync(args, context, cancellationToken);
        }
        finally
        {
            exitCode = await FlushAsync(context, exitCode);
        }

        return exitCode;
    }

    private static async Task<int> InvokeAsync(string[] args, CommandContext context, CancellationToken cancellationToken)
    {
        var parsed = CreateRoot(context).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            return await TellAsync(context, $"{InOneLine(parsed.Errors)} See smtp2go-ingest --help.", ExitCode.WrongUsage);
        }

        try
        {
            var invocation = new InvocationConfiguration
            {
                Output = context.Output,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
            };
            return await parsed.InvokeAsync(invocation, cancellationToken);
        }
        catch (CommandFailedException e)
        {
            return await TellAsync(context, e.Message, e.ExitCode);
        }
        catch (Exception e) when (FailureText.Explain(e) is { } message)
        {
            return await TellAsync(context, message, ExitCode.Failed);
        }
    }

    // To a full disk, for example. What was done is done, but nobody was told.
    private static async Task<int> FlushAsync(CommandContext context, int exitCode)
    {
        try
        {
            await context.Output.FlushAsync(CancellationToken.None);
            return exitCode;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return await TellAsync(context, $"The output could not be written: {e.Message}", ExitCode.Failed);
        }
    }

    private static async Task<int> TellAsync(CommandContext context, string message, int exitCode)
    {
        try
        {
            await context.Error.WriteLineAsync(message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody listens. The exit code says it.
        }

        return exitCode;
    }

    private static RootCommand CreateRoot(CommandContext context) => new(Description)
    {
        context.Connection,
        context.Json,
        context.Utc,
        EmailCommand.Create(context),
        RecipientCommand.Create(context),
        DayCommand.Create(context),
        FindCommand.Create(context),
        SummaryCommand.Create(context),
        BouncesCommand.Create(context),
        TailCommand.Create(context),
        ExportCommand.Create(context),
        DeadLettersCommand.Create(context),
        SendCommand.Create(context),
        CheckCommand.Create(context),
        PurgeCommand.Create(context),
        ForgetCommand.Create(context),
        ReindexCommand.Create(context),
        ReparseCommand.Create(context),
    };

    private static string InOneLine(IEnumerable<ParseError> errors) =>
        string.Join(' ', errors.SelectMany(e => e.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
}
