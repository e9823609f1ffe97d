using System.CommandLine;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What happened to this email?</summary>
internal static class EmailCommand
{
    // If there are more recipients, they are counted, and only the first that got nothing are named.
    private const int MostVerdicts = 20;

    public static Command Create(CommandContext context)
    {
        var emailId = new Argument<string>("email_id")
        {
            Description = "The email's id, exactly as SMTP2GO writes it; sms-<message_id> for an SMS.",
        };
        var limit = ArgumentParsing.Limit("Show only the first n events.");
        var command = new Command("email", "What happened to this email: its events, and what became of it.") { emailId, limit };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var id = parsed.GetRequiredValue(emailId).Trim();
            var hint = id.Contains('@', StringComparison.Ordinal)
                ? "For an address there is `recipient`, for a Message-ID `find`."
                : "Ids are case-sensitive, and a new event takes a few seconds.";
            var nothingFound = $"No events found for email '{PlainText.Of(id)}'. {hint}";
            return context.IsJson(parsed)
                ? await EventList.OfMany(context, parsed).WriteAsync(
                    context,
                    parsed,
                    EventStore.TableName,
                    [EventQueries.OfEmail(id)],
                    parsed.GetValue(limit),
                    nothingFound,
                    cancellationToken)
                : await WriteAsync(context, parsed, id, parsed.GetValue(limit) ?? int.MaxValue, cancellationToken)
                    ? ExitCode.Done
                    : await context.NothingFoundAsync(nothingFound);
        });
        return command;
    }

    /// <summary>The lines above an email's events.</summary>
    public static IEnumerable<string> HeadLines(CommandContext context, TimeText times, EmailHead head)
    {
        Cell[][] rows =
        [
            [Label("Email"), Cell.Key(head.EmailId)],
            [Label("Subject"), Cell.Text(head.Subject)],
            [Label("From"), Cell.Key(head.Sender)],
            [Label("Sent"), Cell.Key(times.Of(head.Sent))],
        ];

        // Each is laid out by itself: if one is too wide, the others stay in their column.
        return rows.Where(row => row[1].Width > 0).SelectMany(row => context.Lines([row]));

        static Cell Label(string text) => Cell.Key($"{text,-7}", Tint.Dim);
    }

    public static Tint TintOf(DeliveryState state) => state switch
    {
        DeliveryState.Delivered => Tint.Good,
        DeliveryState.HardBounced or DeliveryState.SoftBounced or DeliveryState.Failed or DeliveryState.Rejected => Tint.Bad,
        DeliveryState.Complained or DeliveryState.Unsubscribed => Tint.Warning,
        _ => Tint.None,
    };

    private static async Task<bool> WriteAsync(
        CommandContext context, ParseResult parsed, string id, int limit, CancellationToken cancellationToken)
    {
        var times = context.Times(parsed);
        var deliveries = new Deliveries();
        var shown = 0;
        var events = context.Tables(parsed)
            .RowsAsync(EventStore.TableName, EventQueries.OfEmail(id), StoredEvent.Columns, cancellationToken)
            .Select(StoredEvent.Of)
            .InOrderAsync();
        await foreach (var page in events.Chunk(RowList.RowsPerPage).WithCancellation(cancellationToken))
        {
            if (shown == 0)
            {
                await context.WriteLinesAsync([.. HeadLines(context, times, EmailHead.Of(page)), string.Empty], cancellationToken);
            }

            StoredEvent[] some = [.. page.Take(limit - Math.Min(shown, limit))];
            await context.WriteLinesAsync(EventList.Lines(context, times, some, withRecipient: true), cancellationToken);
            shown += page.Length;
            Array.ForEach(page, deliveries.Add);
        }

        if (shown > limit)
        {
            await context.WriteLinesAsync([FormattableString.Invariant($"… and {shown - limit:N0} more events")], cancellationToken);
        }

        if (deliveries.All.Count > 0)
        {
            await context.WriteLinesAsync([string.Empty, .. Verdicts(context, times, deliveries)], cancellationToken);
        }

        return shown > 0;
    }

    private static IEnumerable<string> Verdicts(CommandContext context, TimeText times, Deliveries deliveries)
    {
        var now = context.Time.GetUtcNow();
        if (deliveries.All.Count <= MostVerdicts)
        {
            return context.Lines([.. deliveries.All.Select(Verdict)]);
        }

        List<Delivery> others = [.. deliveries.Notable];
        return
        [
            .. context.Lines([[Cell.Text(deliveries.Describe())]]),
            .. context.Lines([.. others.Take(MostVerdicts).Select(Verdict)]),
            .. others.Count > MostVerdicts ? [FormattableString.Invariant($"… and {others.Count - MostVerdicts:N0} more")] : (string[])[],
            .. deliveries.IsIncomplete
                ? context.Lines([[Cell.Text("The list of recipients was too long to store: those who only have 'processed' are missing.")]])
                : [],
        ];

        Cell[] Verdict(Delivery delivery) =>
            [Cell.Key(delivery.Recipient), Cell.Text(delivery.Describe(times, now), TintOf(delivery.State))];
    }
}
