using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tool;

internal static class Program
{
    private const int BlockSize = 64 * 1024;
    private const int MinHelpWidth = 60;

    // The value of EPIPE on Linux and macOS.
    private const int BrokenPipe = 32;

    // One line a paragraph: the help wraps them.
    private const string Description =
        "Answers questions about the events that Smtp2GoIngest has stored.\n\n"
        + "It finds the storage account the way the app does: from EventStorage, or from EventStorage__tableServiceUri and the other "
        + "service URIs, in the environment or in the Values of local.settings.json in the current folder.\n\n"
        + "Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage or settings, 3 nothing found.";

    public static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

        // Output to a file or another program goes in blocks: the console's own writer would make a system call for every line.
        // It is flushed at the end of the run. If that fails, disposing of it would only fail again.
        var output = Console.IsOutputRedirected ? new StreamWriter(OpenOutput(), Console.OutputEncoding, BlockSize) : Console.Out;
        return await RunAsync(args, new CommandContext(output, Console.Error, Directory.GetCurrentDirectory()), CancellationToken.None);
    }

    // The console's own stream does not mind a pipe that nobody reads any more: `tail | head -1` would never end.
    private static Stream OpenOutput()
    {
        if (!OperatingSystem.IsWindows())
        {
            var output = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            if (!output.CanSeek)
            {
                return output;
            }
        }

        return Console.OpenStandardOutput();
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
        try
        {
            var parsed = CreateRoot(context).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is not { ClearsParseErrors: true } && WrongUsage.Explain(parsed) is { } problem)
            {
                return await TellAsync(context, problem, ExitCode.WrongUsage);
            }

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
        catch (IOException e) when (e.HResult == BrokenPipe)
        {
            // The reader has seen enough, as in `| head -1`.
            return ExitCode.Failed;
        }
        catch (Exception e) when (FailureText.Explain(e) is { } message)
        {
            return await TellAsync(context, message, ExitCode.Failed);
        }
        catch (Exception e)
        {
            return await TellAsync(context, FailureText.OfBug(e), ExitCode.Failed);
        }
    }

    // This fails on a full disk, for example. The work was done, but nobody was told.
    private static async Task<int> FlushAsync(CommandContext context, int exitCode)
    {
        try
        {
            await context.Output.FlushAsync(CancellationToken.None);
            return exitCode;
        }
        catch (Exception e) when (exitCode != ExitCode.Done || e is IOException { HResult: BrokenPipe })
        {
            return ExitCode.Failed;
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
            await context.Error.WriteLineAsync(MessageText.Of(message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody is listening. The exit code has to say it.
        }

        return exitCode;
    }

    internal static RootCommand CreateRoot(CommandContext context)
    {
        var root = new RootCommand(Description)
        {
            context.Connection,
            context.Json,
            context.Utc,
            EmailCommand.Create(context),
            RecipientCommand.Create(context),
            RecipientsCommand.Create(context),
            DayCommand.Create(context),
            FindCommand.Create(context),
            SummaryCommand.Create(context),
            BouncesCommand.Create(context),
            TailCommand.Create(context),
            StudioCommand.Create(context),
            ExportCommand.Create(context),
            DeadLettersCommand.Create(context),
            SendCommand.Create(context),
            CheckCommand.Create(context),
            ReconcileCommand.Create(context),
            PurgeCommand.Create(context),
            ForgetCommand.Create(context),
            ReindexCommand.Create(context),
            ReparseCommand.Create(context),
        };

        // In a narrower terminal the library draws help for ever, or throws.
        var help = new HelpAction { MaxWidth = Math.Max(context.Width, MinHelpWidth) };
        root.Options.OfType<HelpOption>().Single().Action = help;
        foreach (var group in root.Subcommands.Where(command => command.Subcommands.Count > 0).Prepend(root))
        {
            group.SetAction(help.Invoke);
        }

        return root;
    }
}
