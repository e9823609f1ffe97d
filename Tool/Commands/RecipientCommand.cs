using System.CommandLine;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to everything sent to this address, and does mail to it arrive?</summary>
internal static class RecipientCommand
{
    public static Command Create(CommandContext context)
    {
        var address = new Argument<string>("address")
        {
            Description = "An email address, in any case, as people paste it: Ada <ada@example.org>; or a telephone number.",
        };
        var since = new Option<DateTimeOffset?>("--since")
        {
            Description = "Only emails with an event since then (with --json, only those events): "
                + "2026-05-01, today, yesterday, or how long ago, as 7d, 12h or 30m.",
            CustomParser = argument => ArgumentParsing.ParseSince(argument, context),
        };
        var limit = ArgumentParsing.Limit("Show only the newest n emails; with --json, the first n events.");
        var command = new Command("recipient", "What happened to everything sent to this address, and whether mail to it arrives.")
        {
            address, since, limit,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (recipient, from) = (RecipientAddresses.Unwrap(parsed.GetRequiredValue(address)), parsed.GetValue(since));
            var nothingFound = $"No events found for recipient '{PlainText.Of(recipient)}'{(from is null ? string.Empty : " since then")}.";
            return context.IsJson(parsed)
                ? await EventList.OfMany(context, parsed).WriteAsync(
                    context,
                    parsed,
                    EventIndex.ByRecipientTable,
                    [EventQueries.OfRecipient(recipient, from)],
                    parsed.GetValue(limit),
                    nothingFound,
                    cancellationToken)
                : await WriteAsync(context, parsed, recipient, from, parsed.GetValue(limit) ?? int.MaxValue, cancellationToken)
                    ? ExitCode.Done
                    : await context.NothingFoundAsync(nothingFound);
        });
        return command;
    }

    private static async Task<bool> WriteAsync(
        CommandContext context, ParseResult parsed, string recipient, DateTimeOffset? since, int limit, CancellationToken cancellationToken)
    {
        var history = await ReadAsync(context, parsed, recipient, since, cancellationToken);
        if (history.Emails.Count == 0)
        {
            return false;
        }

        var (times, now) = (context.Times(parsed), context.Time.GetUtcNow());
        if (history.Emails.Count > limit)
        {
            var earlier = FormattableString.Invariant($"… {history.Emails.Count - limit:N0} earlier emails");
            await context.WriteLinesAsync([earlier, string.Empty], cancellationToken);
        }

        foreach (var email in history.Emails.TakeLast(limit))
        {
            var verdict = Cell.Text(email.Delivery.Describe(times, now), EmailCommand.TintOf(email.Delivery.State));
            await context.WriteLinesAsync(
                [
                    .. EmailCommand.HeadLines(context, times, email.Head),
                    .. EventList.Lines(context, times, email.Events, withRecipient: false),
                    .. context.Lines([[Cell.Key("→"), verdict]]),
                    string.Empty,
                ],
                cancellationToken);
        }

        await context.WriteLinesAsync(
            [
                .. context.Lines([[Cell.Text(history.State.Describe(times))]]),
                .. history.State.Folded is { } state ? StateLines(context, times, state) : [],
            ],
            cancellationToken);
        return true;
    }

    private static IEnumerable<string> StateLines(CommandContext context, TimeText times, RecipientState state)
    {
        var since = state.StateSince is null ? string.Empty : $" since {times.Of(state.StateSince).Replace(' ', '\u00a0')}";
        var why = state is { State: not RecipientState.Active, BounceClass: { } bounceClass } && bounceClass != state.State
            ? $" ({bounceClass})"
            : string.Empty;
        var text = Cell.Text($"{state.State}{since}{why}", RecipientsCommand.TintOf(state.State));
        return [string.Empty, .. context.Lines([[Cell.Key("State", Tint.Dim), text]])];
    }

    private static async Task<RecipientHistory> ReadAsync(
        CommandContext context, ParseResult parsed, string recipient, DateTimeOffset? since, CancellationToken cancellationToken)
    {
        using var progress = new Progress(context, "events");
        return await RecipientHistory.ReadAsync(context.Tables(parsed), recipient, since, progress, cancellationToken)
            ?? throw new CommandFailedException(FormattableString.Invariant(
                $"There are more than {RecipientHistory.MaxEvents:N0} events. Add --json to get them one by one."));
    }
}
