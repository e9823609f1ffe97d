namespace Smtp2GoIngest.Tool.Commands;

internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int NothingFound = 3;
}

/// <summary>Ends a command with a message for the user: one line that says how to fix it, without a secret.</summary>
internal sealed class CommandFailedException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
