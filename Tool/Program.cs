using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text;
using Azure;
using Azure.Identity;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Tool;

/// <summary>What the tool's exit code says.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int NothingFound = 3;
}

/// <summary>The end of a command that the user can mend; the message says how, in one line and without a secret.</summary>
internal sealed class CommandFailedException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

internal static class Program
{
    private const int BlockSize = 64 * 1024;

    private const string Description = """
        Answers questions about the events that Smtp2GoIngest has stored.

        It finds the storage account as the app does: in EventStorage, or EventStorage__tableServiceUri and its like, from the
        environment or from the Values of local.settings.json in the current folder.

        Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage or settings, 3 nothing found.
        """;

    public static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

        // To a file or another program in blocks: the console's own writer would make a system call of every line.
        await using var output = Console.IsOutputRedirected ? new StreamWriter(Console.OpenStandardOutput(), Console.OutputEncoding, BlockSize) : Console.Out;
        return await RunAsync(args, new CommandContext(output, Console.Error, Directory.GetCurrentDirectory()), CancellationToken.None);
    }

    public static RootCommand CreateRoot(CommandContext context) => new(Description)
    {
        context.Connection,
        context.Json,
        EmailCommand.Create(context),
        RecipientCommand.Create(context),
        DayCommand.Create(context),
        SummaryCommand.Create(context),
        TailCommand.Create(context),
        ExportCommand.Create(context),
        DeadLettersCommand.Create(context),
        SendCommand.Create(context),
        CheckCommand.Create(context),
        MaintenanceCommands.Purge(context),
        MaintenanceCommands.Forget(context),
        MaintenanceCommands.Reindex(context),
        MaintenanceCommands.Reparse(context),
    };

    public static async Task<int> RunAsync(string[] args, CommandContext context, CancellationToken cancellationToken)
    {
        var parsed = CreateRoot(context).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            await context.Error.WriteLineAsync($"{InOneLine(parsed.Errors)} See smtp2go-ingest --help.");
            return ExitCode.WrongUsage;
        }

        try
        {
            var invocation = new InvocationConfiguration { Output = context.Output, Error = context.Error, EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(invocation, cancellationToken);
        }
        catch (Exception e) when (Explain(e) is { } message)
        {
            await context.Error.WriteLineAsync(message);
            return e is CommandFailedException failed ? failed.ExitCode : ExitCode.Failed;
        }
        finally
        {
            await context.Output.FlushAsync(CancellationToken.None);
        }
    }

    private static string InOneLine(IEnumerable<ParseError> errors) =>
        string.Join(' ', errors.SelectMany(e => e.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));

    /// <summary>What went wrong and what mends it; never the text of a storage exception, which may quote a row or a URL.</summary>
    public static string? Explain(Exception e) => e switch
    {
        CommandFailedException => e.Message,
        OperationCanceledException => "Interrupted.",
        RequestFailedException { Status: 401 or 403 } =>
            $"Storage refuses access: {StorageFailure.Describe(e)}. Check the key in EventStorage, or the identity's roles on tables, queues and blobs.",
        RequestFailedException { Status: 0 } or AggregateException { InnerException: RequestFailedException { Status: 0 } or OperationCanceledException } =>
            "Storage cannot be reached. Check the account in EventStorage and the network; with Azurite, that it runs.",
        RequestFailedException => $"Storage failed: {StorageFailure.Describe(e)}. Try again; `smtp2go-ingest check` shows more.",
        AuthenticationFailedException => "No identity could be had for storage. Sign in with `az login`, or set EventStorage to a connection string.",
        IOException or UnauthorizedAccessException => e.Message,
        AggregateException { InnerException: { } inner } => Explain(inner),
        _ => null,
    };
}
