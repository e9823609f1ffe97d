using System.CommandLine;
using Azure.Data.Tables;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Rows of one kind: laid out for people, or as JSON for programs.</summary>
/// <param name="Cells">What is shown of a row, under the headings.</param>
/// <param name="Columns">The columns that are read for that.</param>
internal sealed record RowList(
    string[] Headings, Func<TableEntity, IReadOnlyList<Cell>> Cells, string[] Columns)
{
    /// <summary>How many rows are laid out at a time, so that a million never sit in memory.</summary>
    public const int RowsPerPage = 500;

    /// <summary>Writes what queries find, or says that they found nothing.</summary>
    /// <param name="limit">How many rows to write at most; null for all.</param>
    public async Task<int> WriteAsync(
        CommandContext context,
        ParseResult parsed,
        string table,
        IEnumerable<string?> filters,
        int? limit,
        string nothingFound,
        CancellationToken cancellationToken)
    {
        var json = context.IsJson(parsed);
        var rows = context.Tables(parsed).RowsAsync(table, filters, json ? null : Columns, cancellationToken);
        var left = limit ?? int.MaxValue;
        var found = false;
        await foreach (var page in rows.Chunk(RowsPerPage).WithCancellation(cancellationToken))
        {
            found = true;
            await WriteAsync(context, json, page.Take(left), cancellationToken);
            if (page.Length > left)
            {
                await context.Error.WriteLineAsync(FormattableString.Invariant($"Showing the first {limit:N0}; there are more."));
                break;
            }

            left -= page.Length;
        }

        return found ? ExitCode.Done : await context.NothingFoundAsync(nothingFound);
    }

    private async Task WriteAsync(CommandContext context, bool json, IEnumerable<TableEntity> page, CancellationToken cancellationToken)
    {
        if (!json)
        {
            await context.WriteLinesAsync(context.Lines([.. page.Select(Cells)], Headings), cancellationToken);
            return;
        }

        foreach (var row in page)
        {
            await context.Output.WriteJsonAsync(row, cancellationToken);
        }
    }
}
