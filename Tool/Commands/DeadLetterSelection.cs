using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>The dead letters that a command is about: by their ids, by a day and its rows, or all with one reason.</summary>
internal sealed class DeadLetterSelection
{
    public const string NothingFound = "No such dead letter. `smtp2go-ingest dead-letters list` shows them.";

    private const int ShortestId = 4;

    private static readonly string[] Reasons =
    [
        DeadLetterReason.NoEvent, DeadLetterReason.Unparsable, DeadLetterReason.Conflict, DeadLetterReason.Refused,
        DeadLetterReason.BlobMissing, DeadLetterReason.Unreadable, DeadLetterReason.Poison,
    ];

    private readonly Argument<string[]> letters;
    private readonly Option<string?>? reason;

    /// <summary>Gives the command its arguments.</summary>
    /// <param name="isOne">True for a command about a single dead letter.</param>
    public DeadLetterSelection(Command command, bool isOne)
    {
        letters = new Argument<string[]>("id")
        {
            Description = $"An id that list shows, or at least its first {ShortestId} digits; or a day and row keys.",
            Arity = isOne ? new ArgumentArity(1, 2) : ArgumentArity.ZeroOrMore,
        };
        command.Add(letters);
        if (!isOne)
        {
            command.Add(reason = ReasonOption());
        }

        command.Validators.Add(Validate);
    }

    public static Option<string?> ReasonOption()
    {
        var option = new Option<string?>("--reason") { Description = $"Only those with this reason: {string.Join(", ", Reasons)}." };
        option.AcceptOnlyFromAmong(Reasons);
        return option;
    }

    /// <summary>Those that exist.</summary>
    public async Task<IAsyncEnumerable<TableEntity>> FindAsync(
        CommandContext context, ParseResult parsed, CancellationToken cancellationToken)
    {
        var only = reason is null ? null : parsed.GetValue(reason);
        var keys = only is null ? await KeysAsync(context, parsed, cancellationToken) : [];
        return DeadLetterQueries.FindAsync(context.Tables(parsed), only, keys, cancellationToken);
    }

    /// <summary>Their keys. For a day and its rows, nothing has checked that they exist.</summary>
    public async Task<IReadOnlyList<DeadLetterKey>> KeysAsync(
        CommandContext context, ParseResult parsed, CancellationToken cancellationToken)
    {
        var named = Trimmed(parsed.GetValue(letters));
        if (IsDay(named[0]))
        {
            return [.. named.Skip(1).Select(row => new DeadLetterKey(named[0], row))];
        }

        var matches = await DeadLetterQueries.MatchAsync(context.Tables(parsed), named, cancellationToken);
        foreach (var match in matches.Where(match => match.Count != 1))
        {
            // Nothing is done to the others either: whoever mistyped one may have meant another.
            throw match.Count == 0
                ? new CommandFailedException(
                    $"No dead letter has the id '{match.Id}'. `smtp2go-ingest dead-letters list` shows them.", ExitCode.NothingFound)
                : new CommandFailedException(
                    $"'{match.Id}' matches {PlainText.Number(match.Count)} dead letters: {IdsOf(match)}. Give more digits.",
                    ExitCode.WrongUsage);
        }

        return [.. matches.Select(match => match.Keys[0])];
    }

    // As pasted.
    private static string[] Trimmed(string[]? named) => [.. (named ?? []).Select(text => text.Trim())];

    private static bool IsDay(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static string IdsOf(DeadLetterMatch match) =>
        string.Join(", ", match.Keys.Select(key => key.Id)) + (match.Count > match.Keys.Count ? ", …" : string.Empty);

    private static bool IsId(string text) =>
        text.Length is >= ShortestId and <= DeadLetterKey.IdLength && text.All(char.IsAsciiHexDigit);

    private void Validate(CommandResult command)
    {
        var named = Trimmed(command.GetValue(letters));
        var byReason = reason is not null && command.GetResult(reason) is not null;
        if (byReason ? named.Length > 0 : named.Length == 0)
        {
            command.AddError("Either name dead letters or give --reason.");
        }
        else if (named is [var day, ..] && IsDay(day) && named.Length == 1)
        {
            command.AddError("Give the row keys after the day.");
        }
        else if (named is [var first, ..] && !IsDay(first) && named.FirstOrDefault(text => !IsId(text)) is { } odd)
        {
            command.AddError($"'{odd}' is not the id of a dead letter: `smtp2go-ingest dead-letters list` shows them.");
        }
        else if (reason is null && named.Length == 2 && !IsDay(named[0]))
        {
            command.AddError("Give one id, or a day and a row key.");
        }
    }
}
