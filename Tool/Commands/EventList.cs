using System.CommandLine;
using Azure.Data.Tables;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>How events are drawn, one to a row.</summary>
internal static class EventList
{
    // An email may have thousands; --json has them all.
    private const int MostRecipients = 5;

    /// <summary>Events of many emails.</summary>
    public static RowList OfMany(CommandContext context, ParseResult parsed)
    {
        var times = context.Times(parsed);
        return new RowList(
            Headings(times),
            row => Cells(StoredEvent.Of(row), times),
            StoredEvent.Columns);
    }

    /// <summary>A row of <see cref="OfMany"/> without headings, for events that come one by one.</summary>
    public static IEnumerable<string> Lines(CommandContext context, TimeText times, TableEntity row) =>
        context.Lines([Cells(StoredEvent.Of(row), times)]);

    /// <summary>Events of one email.</summary>
    /// <param name="withRecipient">False if all are about one recipient.</param>
    public static IEnumerable<string> Lines(
        CommandContext context, TimeText times, IReadOnlyList<StoredEvent> events, bool withRecipient) => context.Lines(
        [
            .. events.Select(e => (Cell[])
            [
                Cell.Key(times.Of(e.Time)),
                Event(e),
                .. (Cell[])(withRecipient ? [Recipients(e.Recipients, e.OtherRecipients)] : []),
                Cell.Text(e.Says),
            ]),
        ]);

    /// <summary>Events that are not stored, as <see cref="OfMany"/> would show them.</summary>
    public static IEnumerable<string> Lines(CommandContext context, TimeText times, IReadOnlyList<MissingEvent> events) =>
        events.Chunk(RowList.RowsPerPage).SelectMany(page => context.Lines(
            [
                .. page.Select(e => (Cell[])
                [
                    Cell.Key(times.Of(e.Date)),
                    Cell.Key(e.Group.Kind.ToString(), TintOf(e.Group.Kind.Event)),
                    Recipients(e.Group.Kind.IsOfEmail ? e.Recipients : e.Event.Recipient is { } one ? [one] : [], 0),
                    Cell.Key(e.Group.EmailId),
                    Cell.Text(e.Event.SmtpResponse ?? e.Event.Reason),
                ]),
            ],
            Headings(times)));

    private static string[] Headings(TimeText times) => [times.Heading, "Event", "Recipient", "Email", "What SMTP2GO says"];

    private static Cell[] Cells(StoredEvent e, TimeText times) =>
        [Cell.Key(times.Of(e.Time)), Event(e), Recipients(e.Recipients, e.OtherRecipients), Cell.Key(e.EmailId), Cell.Text(e.Says)];

    private static Cell Event(StoredEvent e) =>
        Cell.Key(e.Name + (e.IsTest ? " (test)" : e.IsFilledIn ? " (filled in)" : string.Empty), TintOf(e.Name));

    public static Tint TintOf(string eventName) => eventName switch
    {
        "delivered" or "sms_delivered" => Tint.Good,
        "bounce" or "reject" or "sms_failed" or "sms_rejected" => Tint.Bad,
        "spam" or "unsubscribe" or "opt-out" => Tint.Warning,
        _ => Tint.None,
    };

    private static Cell Recipients(IReadOnlyList<string> all, int notNamed)
    {
        var others = notNamed + Math.Max(0, all.Count - MostRecipients);
        var shown = all.Take(MostRecipients);
        return Cell.Keys(others == 0 ? shown : shown.Append(FormattableString.Invariant($"and {others:N0} more")));
    }
}
