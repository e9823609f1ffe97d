using System.CommandLine;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>The question before something is deleted for good: without <c>--yes</c>, it is only counted.</summary>
internal sealed class Confirmation
{
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Only count; change nothing." };
    private readonly Option<bool> yes = new("--yes") { Description = "Do it. Without this, it is only counted." };

    /// <summary>Gives the command its options.</summary>
    public Confirmation(Command command)
    {
        command.Add(dryRun);
        command.Add(yes);
    }

    public bool IsGiven(ParseResult parsed) => parsed.GetValue(yes) && !parsed.GetValue(dryRun);

    /// <summary>Reports what was done, or what would be, and then says how to do it.</summary>
    public async Task<int> ReportAsync(
        CommandContext context, ParseResult parsed, IEnumerable<Figure> figures, CancellationToken cancellationToken)
    {
        await context.ReportAsync(parsed, figures, cancellationToken);
        return IsGiven(parsed) || parsed.GetValue(dryRun)
            ? ExitCode.Done
            : throw new CommandFailedException("Nothing was changed. Add --yes to delete this for good.", ExitCode.WrongUsage);
    }
}
