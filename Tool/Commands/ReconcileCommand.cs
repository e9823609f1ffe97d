using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Is anything missing that SMTP2GO has?</summary>
internal static class ReconcileCommand
{
    private const int DefaultLimit = 1_000;

    public static Command Create(CommandContext context)
    {
        var days = new Argument<DayRange?>("days")
        {
            Description = $"In UTC: {DayRange.Forms}. By default the last day that is complete: SMTP2GO may still send what is younger "
                + "than 100 hours. With --now, today.",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = argument => ArgumentParsing.ParseDays(argument, context.Today),
        };
        var to = ArgumentParsing.LastDay(context);
        var apply = new Option<bool>("--apply")
        {
            Description = "Fill in what is missing, and remove what was filled in earlier if its webhook has come since. "
                + "Without this, nothing is changed.",
        };
        var now = new Option<bool>("--now")
        {
            Description = "Include newer events, up to ten minutes ago. If SMTP2GO sends one that was filled in, the next run with "
                + "--apply removes the duplicate.",
        };
        var limit = ArgumentParsing.Limit("Show only the first n missing events; 1,000 by default, or all with --json.");
        var command = new Command(
            "reconcile",
            "Compares what is stored with SMTP2GO's own activity and lists what is missing. Needs Smtp2Go__ApiKey. "
            + "Safe to interrupt and run again. Exits with 1 if something is missing and was not filled in.")
        {
            days, to, apply, now, limit,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var range = parsed.GetValue(days) is { } given ? ArgumentParsing.RangeOf(given, parsed.GetValue(to)) : null;
            var span = ReconcileSpan.Of(range, parsed.GetValue(now), context.Time);
            if (span.Window.IsEmpty)
            {
                throw new CommandFailedException(span.LeftOut!, ExitCode.WrongUsage);
            }

            Smtp2GoSettings.Require(context);
            await (span.LeftOut is { } left ? context.Error.WriteLineAsync(left) : Task.CompletedTask);
            return await RunAsync(context, parsed, span.Window, parsed.GetValue(apply), parsed.GetValue(limit), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, ParseResult parsed, ReconcileWindow window, bool isApplied, int? limit, CancellationToken cancellationToken)
    {
        await using var services = context.Services(parsed, Smtp2GoAnswers.Add);
        await TellWaitingAsync(context, await services.GetRequiredService<QueueWatch>().CountAsync(cancellationToken), isApplied);
        var result = new ReconcileResult(window, isApplied);
        var slices = ReconcileProgress.ShowAsync(
            context,
            services.GetRequiredService<Reconciler>().ReconcileAsync(window, isApplied, cancellationToken),
            result,
            services.GetRequiredService<Smtp2GoAnswers>(),
            cancellationToken);
        List<MissingEvent> first = [];
        var left = (long?)limit ?? (context.IsJson(parsed) ? int.MaxValue : DefaultLimit);
        string? problem = null;
        try
        {
            await foreach (var missing in slices.SelectMany(slice => InOrder(slice.Missing)))
            {
                if (left-- <= 0)
                {
                    continue;
                }

                if (context.IsJson(parsed))
                {
                    await context.Output.WriteJsonAsync(ReconcileReport.ToJson(missing), CancellationToken.None);
                }
                else
                {
                    first.Add(missing);
                }
            }
        }
        catch (Exception e) when (result.Hours > 0 && FailureText.Explain(e) is { } failure)
        {
            // What is known so far may have taken hours to find out.
            problem = $"{failure} Not compared: everything since {ReconcileSpan.ToText(result.Until)}.";
        }

        await (context.IsJson(parsed)
            ? context.Output.WriteJsonAsync(ReconcileReport.ToJson(result), CancellationToken.None)
            : context.WriteLinesAsync(
                [
                    .. ReconcileReport.Lines(context, TimeText.Utc, result, first),
                    .. problem is null ? [string.Empty, .. context.Lines([[Cell.Text(result.Verdict)]])] : (string[])[],
                ],
                CancellationToken.None));
        return problem is not null ? throw new CommandFailedException(problem) : result.IsGood ? ExitCode.Done : ExitCode.Failed;
    }

    // SMTP2GO lists them in another order each time.
    private static IEnumerable<MissingEvent> InOrder(IEnumerable<MissingEvent> missing) => missing
        .OrderBy(e => e.Date)
        .ThenBy(e => e.Group.EmailId, StringComparer.Ordinal)
        .ThenBy(e => e.Group.Address, StringComparer.Ordinal)
        .ThenBy(e => e.Id, StringComparer.Ordinal);

    private static async Task TellWaitingAsync(CommandContext context, int waiting, bool isApplied)
    {
        if (waiting > 0)
        {
            await context.Error.WriteLineAsync(
                $"{PlainText.Count(waiting, "message")} in the queues: their events count as missing until they are stored."
                + (isApplied ? " The next run with --apply removes what was filled in too early." : null));
        }
    }
}
