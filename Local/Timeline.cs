using System.Globalization;
using Azure.Data.Tables;
using Spectre.Console;

namespace Smtp2GoIngest.Local;

/// <summary>Draws rows of <c>Smtp2GoEvents</c>, each email in the order of its events.</summary>
internal static class Timeline
{
    public static void Write(IEnumerable<TableEntity> rows)
    {
        foreach (var email in rows.GroupBy(row => row.PartitionKey))
        {
            var table = new Table().Title($"[bold]{Markup.Escape(email.Key)}[/]").RoundedBorder();
            table.AddColumns("Time (UTC)", "Event", "Recipient", "What SMTP2GO says");
            foreach (var row in email.OrderBy(row => row.RowKey, StringComparer.Ordinal))
            {
                table.AddRow(
                    Cell(
                        (row.GetDateTimeOffset("time") ?? row.GetDateTimeOffset("received_timestamp"))?.ToString(
                            "yyyy-MM-dd HH:mm:ss",
                            CultureInfo.InvariantCulture)),
                    Cell(row.GetString("event")),
                    Cell(
                        row.GetString("rcpt")
                            ?? row.GetString("recipients")?.Replace(",", "\n", StringComparison.Ordinal)
                            ?? row.GetString("destination_number")),
                    Cell(
                        string.Join(
                            ' ', new[]
                            {
                                row.GetString("bounce"),
                                row.GetString("url") ?? row.GetString("message") ?? row.GetString("status_code"),
                            }.Where(text => text is { Length: > 0 } and not "Unavailable"))));
            }

            AnsiConsole.Write(table);
        }
    }

    private static Markup Cell(string? text) => new(Markup.Escape(text ?? string.Empty));
}
