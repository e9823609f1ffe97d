using System.CommandLine;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Rows of one kind, one to a line: as a table for people or as JSON for programs.</summary>
/// <param name="Cells">What is drawn of a row, under the headings.</param>
/// <param name="Columns">What is read of a row for that.</param>
/// <param name="JsonColumns">What is read for JSON; null for everything.</param>
internal sealed record RowList(
    string[] Headings, Func<TableEntity, IEnumerable<string>> Cells, string[] Columns, string[]? JsonColumns)
{
    // Each page is a table of its own, so that a million rows never sit in memory.
    private const int RowsPerPage = 500;

    /// <summary>Writes what a query finds, or says that it found nothing.</summary>
    public async Task<int> WriteAsync(
        CommandContext context,
        ParseResult parsed,
        string table,
        string? filter,
        string nothingFound,
        CancellationToken cancellationToken)
    {
        var json = context.IsJson(parsed);
        var rows = context.Tables(parsed).RowsAsync(table, filter, json ? JsonColumns : Columns, cancellationToken);
        var found = false;
        await foreach (var page in rows.Chunk(RowsPerPage).WithCancellation(cancellationToken))
        {
            found = true;
            if (json)
            {
                foreach (var row in page)
                {
                    await context.Output.WriteJsonAsync(row, cancellationToken);
                }
            }
            else
            {
                Draw(context.Console, page);
            }
        }

        return found ? ExitCode.Done : await context.NothingFoundAsync(nothingFound);
    }

    private void Draw(IAnsiConsole console, TableEntity[] page)
    {
        var table = new Table().RoundedBorder().AddColumns(Headings);
        foreach (var row in page)
        {
            table.AddRow(Cells(row).Select(cell => new Text(cell)));
        }

        console.Write(table);
    }
}
