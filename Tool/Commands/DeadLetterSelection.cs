using System.CommandLine;
using System.CommandLine.Parsing;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>The dead letters that a command is about: those named by day and row, or all of one reason.</summary>
internal sealed class DeadLetterSelection
{
    public const string NothingFound = "No such dead letter.";

    public const string Reasons =
        "Only of this reason: no-event, unparsable, conflict, refused, blob-missing, unreadable, poison.";

    private readonly Argument<string?> day = new("day")
    {
        Description = "The dead letter's day, as list shows it.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string[]> rows = new("row") { Description = "Rows of that day.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<string?> reason = new("--reason") { Description = Reasons };

    /// <summary>Gives the command its arguments.</summary>
    public DeadLetterSelection(Command command)
    {
        command.Add(day);
        command.Add(rows);
        command.Add(reason);
        command.Validators.Add(Validate);
    }

    /// <summary>Those that exist.</summary>
    public IAsyncEnumerable<TableEntity> FindAsync(CommandContext context, ParseResult parsed, CancellationToken cancellationToken) =>
        DeadLetterQueries.FindAsync(
            context.Tables(parsed), parsed.GetValue(reason), parsed.GetValue(day), parsed.GetValue(rows) ?? [], cancellationToken);

    private void Validate(CommandResult command)
    {
        var (named, byReason) = (command.GetValue(rows) is { Length: > 0 }, command.GetValue(reason) is not null);
        if (named == byReason || (byReason && command.GetValue(day) is not null))
        {
            command.AddError("Give either a day and its rows, or --reason.");
        }
    }
}
