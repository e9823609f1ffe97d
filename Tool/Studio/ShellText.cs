namespace Smtp2GoIngest.Tool.Studio;

/// <summary>Commands to copy into a terminal, whichever it is.</summary>
internal static class ShellText
{
    /// <summary>
    /// A command with a text from outside as its argument; null if a shell might take a part of it for something else. No way of quoting is
    /// right for every shell.
    /// </summary>
    public static string? Command(string verb, string argument) =>
        argument.Length > 0 && argument[0] != '-' && argument.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@' or '+')
            ? $"smtp2go-ingest {verb} {argument}"
            : null;
}
