using System.CommandLine;
using System.Globalization;
using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Spectre.Console;

namespace Smtp2GoIngest.Tool;

/// <summary>One event per line, as a table for people or as JSON for programs.</summary>
internal static class EventList
{
    // Each page is a table of its own, so that a million rows never sit in memory.
    private const int RowsPerPage = 500;

    // What is drawn of a row; a large body stays in storage.
    private static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", "event", "time", "received_timestamp", "rcpt", "recipients", "destination_number", "email_id", "message_id",
        "bounce", "url", "message", "status_code", ColumnNames.Recipient, ColumnNames.RecipientCount, ColumnNames.IsTest,
    ];

    /// <summary>Writes what a query finds, or says that it found nothing.</summary>
    public static async Task<int> WriteAsync(
        CommandContext context, ParseResult parsed, string table, string filter, string nothingFound, CancellationToken cancellationToken)
    {
        var count = 0;
        var json = context.IsJson(parsed);
        var page = NewPage();
        await foreach (var row in context.Tables(parsed).RowsAsync(table, filter, json ? null : Columns, cancellationToken))
        {
            count++;
            if (json)
            {
                await context.Output.WriteJsonAsync(row, cancellationToken);
                continue;
            }

            page.AddRow(new Text(Time(row)), new Text(Event(row)), new Text(Recipient(row)), new Text(Email(row)), new Text(Says(row)));
            if (page.Rows.Count == RowsPerPage)
            {
                context.Console.Write(page);
                page = NewPage();
            }
        }

        if (page.Rows.Count > 0)
        {
            context.Console.Write(page);
        }

        return count > 0 ? ExitCode.Done : await context.NothingFoundAsync(nothingFound);
    }

    /// <summary>A row in one line of text.</summary>
    public static string Line(TableEntity row) => $"{Time(row)}  {Event(row),-12} {Recipient(row)}  {Email(row)}  {Says(row)}";

    /// <summary>Text that cannot steer a terminal, whoever wrote it.</summary>
    public static string Plain(string? text)
    {
        if (text is null || !text.Any(char.IsControl))
        {
            return text ?? string.Empty;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            plain.Append(char.IsControl(c) ? ' ' : c);
        }

        return plain.ToString();
    }

    public static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? string.Empty;

    private static Table NewPage() => new Table().RoundedBorder().AddColumns("Time (UTC)", "Event", "Recipient", "Email", "What SMTP2GO says");

    private static string Time(TableEntity row) =>
        Time(row.TryGetValue("time", out var time) && time is DateTimeOffset at ? at
            : row.TryGetValue("received_timestamp", out time) && time is DateTimeOffset received ? received
            : null);

    private static string Event(TableEntity row) => Text(row, "event") + (row.TryGetValue(ColumnNames.IsTest, out var test) && test is true ? " (test)" : string.Empty);

    private static string Recipient(TableEntity row)
    {
        var recipient = Text(row, ColumnNames.Recipient) ?? Text(row, "rcpt") ?? Text(row, "recipients")?.Replace(",", ", ", StringComparison.Ordinal) ?? Text(row, "destination_number");
        return row.TryGetValue(ColumnNames.RecipientCount, out var count) && count is > 1 ? $"{recipient} and {(int)count - 1} more" : recipient ?? string.Empty;
    }

    private static string Email(TableEntity row) => Text(row, "email_id") ?? (Text(row, "message_id") is { } sms ? $"sms-{sms}" : string.Empty);

    private static string Says(TableEntity row) =>
        string.Join(' ', new[] { Text(row, "bounce"), Text(row, "url") ?? Text(row, "message") ?? Text(row, "status_code") }.OfType<string>());

    // A column may be of another type than usual where its value did not parse.
    private static string? Text(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text and not "Unavailable" ? Plain(text) : null;
}
