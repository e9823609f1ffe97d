using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterReplayCommand
{
    private const int DefaultTimeout = 60;
    private const int MostDrawn = 100;

    public static Command Create(CommandContext context)
    {
        var noWait = new Option<bool>("--no-wait") { Description = "Only put them back into the queue. Exits with 1 unless all are." };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds to wait for all to be stored or fail again.",
            DefaultValueFactory = _ => DefaultTimeout,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 1, 86_400),
        };
        var command = new Command(
            "replay", "Puts dead letters back into the queue, waits, and says what became of each. Exits with 1 unless all are stored.");
        var selection = new DeadLetterSelection(command, isOne: false);
        command.Add(noWait);
        command.Add(timeout);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            // Read to the end first: a replay that fails at once comes back as the same row.
            var found = await selection.FindAsync(context, parsed, cancellationToken);
            var keys = await found.Select(DeadLetterKey.Of).ToListAsync(cancellationToken);
            if (keys.Count == 0)
            {
                return await context.NothingFoundAsync(DeadLetterSelection.NothingFound);
            }

            var (replayed, outcomes) = (new List<ReplayedLetter>(), new List<ReplayOutcome>());
            string? problem = null;
            try
            {
                await ReplayAsync(context, parsed, keys, replayed, outcomes, cancellationToken);
                if (!parsed.GetValue(noWait))
                {
                    var limit = TimeSpan.FromSeconds(parsed.GetValue(timeout));
                    await WatchAsync(context, parsed, replayed, outcomes, limit, cancellationToken);
                }
            }
            catch (Exception e) when (FailureText.Explain(e) is { } failure)
            {
                // What is known so far cannot be found out again.
                var left = Math.Max(0, keys.Count - replayed.Count - outcomes.Count);
                problem = left == 0 ? failure : $"{failure} Not put back into the queue: {PlainText.Count(left, "dead letter")}.";
            }

            return parsed.GetValue(noWait)
                ? await ReportPutBackAsync(context, parsed, replayed.Count, outcomes, problem)
                : await ReportAsync(context, parsed, replayed, outcomes, problem);
        });
        return command;
    }

    private static async Task ReplayAsync(
        CommandContext context,
        ParseResult parsed,
        List<DeadLetterKey> keys,
        List<ReplayedLetter> replayed,
        List<ReplayOutcome> outcomes,
        CancellationToken cancellationToken)
    {
        await using var services = context.Services(parsed);
        using var progress = new Progress(context, "dead letters", _ => " put back");
        var (deadLetters, queue) = (services.GetRequiredService<DeadLetters>(), services.GetRequiredService<WebhookQueue>());
        var table = context.Tables(parsed).GetTableClient(DeadLetters.TableName);
        foreach (var key in keys)
        {
            var letter = await table.GetEntityIfExistsAsync<TableEntity>(key.Day, key.Row, cancellationToken: cancellationToken);
            if (!letter.HasValue)
            {
                outcomes.Add(ReplayOutcome.Dropped(key));
            }
            else if (!await deadLetters.ReplayAsync(letter.Value!, queue, cancellationToken))
            {
                outcomes.Add(new ReplayOutcome(key, ReplayResult.BodyGone, "Its body is gone."));
            }
            else if (DeadLetter.Of(letter.Value!).Reason == DeadLetterReason.Unreadable)
            {
                outcomes.Add(new ReplayOutcome(key, ReplayResult.SentBack, "If it still cannot be read, it becomes a new dead letter."));
            }
            else
            {
                var body = await deadLetters.ReadBodyAsync(letter.Value!, cancellationToken);
                _ = EmailEvent.TryParse(body, out var emailEvent, out _);
                replayed.Add(ReplayedLetter.Of(key, letter.Value!.ETag, emailEvent));
            }

            progress.Report(replayed.Count + outcomes.Count);
        }
    }

    private static async Task WatchAsync(
        CommandContext context,
        ParseResult parsed,
        List<ReplayedLetter> replayed,
        List<ReplayOutcome> outcomes,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        var all = replayed.Count + outcomes.Count;
        using var progress = new Progress(context, "dead letters", _ => $" of {PlainText.Number(all)} done");
        var watch = new ReplayWatch(context.Tables(parsed), context.Time);
        await foreach (var outcome in watch.WatchAsync(replayed, timeout, cancellationToken))
        {
            outcomes.Add(outcome);
            progress.Report(outcomes.Count);
        }
    }

    // After Ctrl+C too, so that nothing of this can be cancelled.
    private static async Task<int> ReportPutBackAsync(
        CommandContext context, ParseResult parsed, int replayed, List<ReplayOutcome> outcomes, string? problem)
    {
        Figure[] figures =
        [
            new("replayed", "Dead letters put back into the queue", replayed + Count(outcomes, ReplayResult.SentBack)),
            .. Lost(outcomes),
        ];
        await context.ReportAsync(parsed, figures, CancellationToken.None);
        return problem is not null ? throw new CommandFailedException(problem)
            : Lost(outcomes).Any(figure => figure.Value > 0) ? ExitCode.Failed
            : ExitCode.Done;
    }

    private static async Task<int> ReportAsync(
        CommandContext context, ParseResult parsed, List<ReplayedLetter> replayed, List<ReplayOutcome> outcomes, string? problem)
    {
        outcomes.AddRange(replayed
            .ExceptBy(outcomes.Select(outcome => outcome.Key), letter => letter.Key)
            .Select(letter => new ReplayOutcome(letter.Key, ReplayResult.Waiting)));
        if (context.IsJson(parsed))
        {
            foreach (var outcome in outcomes)
            {
                await context.Output.WriteJsonAsync(ToJson(outcome), CancellationToken.None);
            }
        }
        else
        {
            // Failures come first: they are what people need to look at.
            var drawn = outcomes.OrderBy(outcome => outcome.Result == ReplayResult.Stored).Take(MostDrawn).Select(Cells);
            await context.WriteLinesAsync(
                [
                    .. context.Lines([.. drawn], ["Id", "Outcome", "Detail"]),
                    .. outcomes.Count > MostDrawn ? [$"… and {PlainText.Number(outcomes.Count - MostDrawn)} more"] : (string[])[],
                    string.Empty,
                ],
                CancellationToken.None);
        }

        Figure[] figures =
        [
            new("stored", "Stored", Count(outcomes, ReplayResult.Stored)),
            new("failedAgain", "Failed again", Count(outcomes, ReplayResult.FailedAgain)),
            new("waiting", "Still waiting", Count(outcomes, ReplayResult.Waiting)),
            new("sentBack", "Sent back as they were", Count(outcomes, ReplayResult.SentBack)),
            .. Lost(outcomes),
        ];
        await context.ReportAsync(parsed, figures, CancellationToken.None);
        problem ??= Count(outcomes, ReplayResult.Waiting) == 0
            ? null
            : "Not all were tried in time. Is the app running? `smtp2go-ingest check` shows the queue.";
        return problem is not null ? throw new CommandFailedException(problem)
            : outcomes.TrueForAll(outcome => outcome.Result == ReplayResult.Stored) ? ExitCode.Done
            : ExitCode.Failed;
    }

    private static long Count(List<ReplayOutcome> outcomes, ReplayResult result) => outcomes.Count(outcome => outcome.Result == result);

    private static Figure[] Lost(List<ReplayOutcome> outcomes) =>
    [
        new("bodyGone", "Body is gone", Count(outcomes, ReplayResult.BodyGone)),
        new("dropped", "Dropped or forgotten", Count(outcomes, ReplayResult.Dropped)),
    ];

    private static Cell[] Cells(ReplayOutcome outcome) =>
    [
        Cell.Key(outcome.Key.ShortId),
        outcome.Result switch
        {
            ReplayResult.Stored => Cell.Key("stored", Tint.Good),
            ReplayResult.FailedAgain => Cell.Key("failed again", Tint.Bad),
            ReplayResult.Waiting => Cell.Key("still waiting", Tint.Warning),
            ReplayResult.SentBack => Cell.Key("sent back"),
            ReplayResult.BodyGone => Cell.Key("body gone", Tint.Bad),
            _ => Cell.Key("dropped", Tint.Dim),
        },
        Cell.Text(outcome.Result == ReplayResult.Stored ? $"email {outcome.Detail}" : outcome.Detail),
    ];

    private static JsonObject ToJson(ReplayOutcome outcome) => new()
    {
        ["id"] = outcome.Key.Id,
        ["day"] = outcome.Key.Day,
        ["row"] = outcome.Key.Row,
        ["outcome"] = JsonNamingPolicy.CamelCase.ConvertName(outcome.Result.ToString()),
        [outcome.Result == ReplayResult.Stored ? "email" : "detail"] = outcome.Detail,
    };
}
