using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>How events are drawn, one to a line.</summary>
internal static class EventList
{
    public static RowList OfMany { get; } = new(
        ["Time (UTC)", "Event", "Recipient", "Email", "What SMTP2GO says"],
        row => Cells(EventLine.Of(row), withEmail: true),
        EventLine.Columns,
        JsonColumns: null);

    /// <summary>Of one email: without a column for its id, so that the rest fits into 80 columns.</summary>
    public static RowList OfOneEmail { get; } = new(
        ["Time (UTC)", "Event", "Recipient", "What SMTP2GO says"],
        row => Cells(EventLine.Of(row), withEmail: false),
        EventLine.Columns,
        JsonColumns: null);

    /// <summary>A row as one line of text.</summary>
    public static string Line(TableEntity row)
    {
        var line = EventLine.Of(row);
        return $"{Time(line)}  {Event(line),-12} {Recipients(line, ", ")}  {PlainText.Of(line.EmailId)}  {PlainText.Of(line.Says)}";
    }

    private static IEnumerable<string> Cells(EventLine line, bool withEmail) =>
    [
        Time(line),
        Event(line),
        Recipients(line, "\n"),
        .. (string[])(withEmail ? [PlainText.Of(line.EmailId)] : []),
        PlainText.Of(line.Says),
    ];

    private static string Time(EventLine line) =>
        line.Time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? string.Empty;

    private static string Event(EventLine line) => PlainText.Of(line.Event) + (line.IsTest ? " (test)" : string.Empty);

    private static string Recipients(EventLine line, string separator) =>
        string.Join(separator, line.Recipients.Select(PlainText.Of))
        + (line.OtherRecipients > 0 ? $" and {line.OtherRecipients} more" : string.Empty);
}
