using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What is wrong with a command line, and how to write it instead.</summary>
internal static class WrongUsage
{
    /// <summary>One line; null for a command line that can be run.</summary>
    public static string? Explain(ParseResult parsed) =>
        (UnknownOption(parsed) ?? Unmatched(parsed) ?? Missing(parsed) ?? Errors(parsed)) is { } problem
            ? $"{problem} See {PathOf(parsed.CommandResult)} --help."
            : null;

    // An unknown option would otherwise be taken for an argument: `email --jsn` would look for an email of that name.
    // What follows it is not repeated: it may be a password.
    private static string? UnknownOption(ParseResult parsed)
    {
        var positional = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens);
        var typed = parsed.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Intersect(positional)
            .Select(token => token.Value)
            .Concat(parsed.UnmatchedTokens)
            .FirstOrDefault(text => text.StartsWith("--", StringComparison.Ordinal));
        if (typed is null)
        {
            return null;
        }

        var (name, command) = (typed.Split('=', ':')[0], parsed.CommandResult.Command);
        var options = command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive));
        return $"'{name}' is not an option of '{command.Name}'." + Suggestion.For(name, options.Select(option => option.Name));
    }

    private static string? Unmatched(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        return parsed.UnmatchedTokens is not [var first, ..] ? null
            : command.Subcommands.Count == 0 ? $"'{first}' is one argument too many for '{command.Name}'."
            : $"'{first}' is not a command{(command is RootCommand ? string.Empty : $" of '{command.Name}'")}."
                + Suggestion.For(first, command.Subcommands.Select(sub => sub.Name));
    }

    private static string? Missing(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string[] missing =
        [
            .. command.Arguments
                .Where(it => it.Arity.MinimumNumberOfValues > (parsed.GetResult(it)?.Tokens.Count ?? 0))
                .Select(argument => $"<{argument.Name}>"),
            .. command.Options.Where(it => it.Required && parsed.GetResult(it) is null).Select(option => option.Name),
        ];
        return missing.Length == 0 ? null : $"'{command.Name}' needs {string.Join(" and ", missing)}.";
    }

    private static string? Errors(ParseResult parsed) =>
        parsed.Errors.Count == 0 ? null : string.Join(' ', parsed.Errors.Select(error => OneOf(error) ?? InOneLine(error)).Distinct());

    // An argument or option with a list of what it accepts.
    private static string? OneOf(ParseError error)
    {
        var known = error.SymbolResult switch
        {
            OptionResult option => option.Option.GetCompletions(CompletionContext.Empty),
            ArgumentResult { Parent: OptionResult option } => option.Option.GetCompletions(CompletionContext.Empty),
            ArgumentResult argument => argument.Argument.GetCompletions(CompletionContext.Empty),
            _ => [],
        };
        string[] words = [.. known.Select(item => item.Label)];
        return words.Length > 0 && error.SymbolResult!.Tokens is [var token] && !words.Contains(token.Value)
            ? $"'{token.Value}' is not one of {string.Join(", ", words)}.{Suggestion.For(token.Value, words)}"
            : null;
    }

    private static string InOneLine(ParseError error) =>
        string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "smtp2go-ingest";
}
