using System.CommandLine;
using Azure.Data.Tables;
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
            [times.Heading, "Event", "Recipient", "Email", "What SMTP2GO says"],
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
                .. (Cell[])(withRecipient ? [Recipients(e)] : []),
                Cell.Text(e.Says),
            ]),
        ]);

    private static Cell[] Cells(StoredEvent e, TimeText times) =>
        [Cell.Key(times.Of(e.Time)), Event(e), Recipients(e), Cell.Key(e.EmailId), Cell.Text(e.Says)];

    private static Cell Event(StoredEvent e) => Cell.Key(e.Name + (e.IsTest ? " (test)" : string.Empty), TintOf(e.Name));

    public static Tint TintOf(string eventName) => eventName switch
    {
        "delivered" or "sms_delivered" => Tint.Good,
        "bounce" or "reject" or "sms_failed" or "sms_rejected" => Tint.Bad,
        "spam" or "unsubscribe" or "opt-out" => Tint.Warning,
        _ => Tint.None,
    };

    private static Cell Recipients(StoredEvent e)
    {
        var others = e.OtherRecipients + Math.Max(0, e.Recipients.Count - MostRecipients);
        var shown = e.Recipients.Take(MostRecipients);
        return Cell.Keys(others == 0 ? shown : shown.Append(FormattableString.Invariant($"and {others:N0} more")));
    }
}
