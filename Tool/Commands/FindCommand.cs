using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Which email was it?</summary>
internal static class FindCommand
{
    private const int DefaultDays = 7;
    private const int DefaultLimit = 50;

    public static Command Create(CommandContext context)
    {
        var messageId = new Option<string?>("--message-id") { Description = "The whole Message-ID, with or without < >." };
        var subject = new Option<string?>("--subject") { Description = "Words of the subject, in any case." };
        var sender = new Option<string?>("--sender") { Description = "The sender's address or a part of it, in any case." };
        var days = new Option<DayRange>("--days")
        {
            Description = $"{DayRange.Forms}; the last {DefaultDays} days by default.",
            DefaultValueFactory = argument => ArgumentParsing.LastDays(argument, context, DefaultDays),
            CustomParser = argument => ArgumentParsing.ParseDays(argument, context),
        };
        var limit = ArgumentParsing.Limit($"Stop after n emails; {DefaultLimit} by default.");
        var command = new Command(
            "find", "Finds emails by Message-ID, subject or sender. Reads every event in those days, unless SMTP2GO made the Message-ID.")
        {
            messageId, subject, sender, days, limit,
        };
        command.Validators.Add(result =>
        {
            if (!new[] { messageId, subject, sender }.Any(option => !string.IsNullOrWhiteSpace(result.GetValue(option))))
            {
                result.AddError("Say what to look for: --message-id, --subject or --sender.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var search = new EmailSearch(
                Asked(parsed.GetValue(messageId)),
                Asked(parsed.GetValue(subject)),
                Asked(RecipientAddresses.Unwrap(parsed.GetValue(sender) ?? string.Empty)));
            var range = parsed.GetRequiredValue(days);
            var most = parsed.GetValue(limit) ?? DefaultLimit;
            var (found, read) = await FindAsync(context, parsed, search, range, most, cancellationToken);
            var isOneEmail = found is [var only] && only.EmailId == search.EmailId;
            var where = $"Read {PlainText.Count(read, "event")} of {(isOneEmail ? "that email" : range)}.";
            if (found.Count == 0)
            {
                return await context.NothingFoundAsync($"No emails found. {where}");
            }

            await WriteAsync(context, parsed, [.. found.Take(most)], cancellationToken);
            await context.Error.WriteLineAsync(
                found.Count > most ? FormattableString.Invariant($"Showing the first {most:N0}; there may be more.") : where);
            return ExitCode.Done;
        });
        return command;
    }

    private static string? Asked(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static async Task<(List<StoredEvent> Found, long Read)> FindAsync(
        CommandContext context, ParseResult parsed, EmailSearch search, DayRange days, int most, CancellationToken cancellationToken)
    {
        using var progress = new Progress(context, "events");
        var counted = new CountedProgress(progress);
        var window = TimeWindow.Of(days, context.Times(parsed).Zone);
        var found = await search
            .FindAsync(context.Tables(parsed), window, counted, cancellationToken)
            .Take(most + 1)
            .ToListAsync(cancellationToken);
        return (found, counted.Value);
    }

    private static async Task WriteAsync(
        CommandContext context, ParseResult parsed, IReadOnlyList<StoredEvent> found, CancellationToken cancellationToken)
    {
        if (context.IsJson(parsed))
        {
            foreach (var e in found)
            {
                await context.Output.WriteJsonAsync(
                    new JsonObject
                    {
                        ["email_id"] = e.EmailId,
                        ["message_id"] = e.MessageId,
                        ["subject"] = e.Subject,
                        ["sender"] = e.Sender,
                        ["event"] = e.Name,
                        ["time"] = e.Time is { } time ? JsonLines.ToText(time) : null,
                    },
                    cancellationToken);
            }

            return;
        }

        var times = context.Times(parsed);
        await context.WriteLinesAsync(
            context.Lines(
                [.. found.Select(e => Cells(e, times))],
                [times.Heading, "Event", "Email", "Sender", "Subject"]),
            cancellationToken);
    }

    // One event of each email, with its own time: which one depends on the order of the table.
    private static Cell[] Cells(StoredEvent e, TimeText times) =>
    [
        Cell.Key(times.Of(e.Time)), Cell.Key(e.Name, EventList.TintOf(e.Name)), Cell.Key(e.EmailId), Cell.Key(e.Sender),
        Cell.Text(e.Subject),
    ];

    private sealed class CountedProgress(IProgress<long> shown) : IProgress<long>
    {
        public long Value { get; private set; }

        public void Report(long value)
        {
            Value = value;
            shown.Report(value);
        }
    }
}
