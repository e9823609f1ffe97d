using System.Text;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>
/// Lays out rows for a terminal: in columns where they fit, else each row as a line that continues below, indented. What people copy is
/// never broken; if it is wider than the terminal, it has a line of its own.
/// </summary>
internal static class TextLayout
{
    /// <summary>For a file or another program: one line per row.</summary>
    public const int Unlimited = int.MaxValue;

    private const char Unbroken = '\u00a0';
    private const int Gap = 2;
    private const int Indent = 4;

    // Less would break most texts at every other word.
    private const int MinTextWidth = 24;

    /// <param name="headings">One for each cell; shown if the rows are in columns. Null for none.</param>
    /// <param name="paint">Colours a text that already has its final width.</param>
    public static IEnumerable<string> Lines(
        IReadOnlyList<IReadOnlyList<Cell>> rows, IReadOnlyList<string>? headings, int width, Func<string, Tint, string> paint)
    {
        if (width == Unlimited)
        {
            rows = [.. rows.Select(row => row.Select(cell => cell.OnOneLine()).ToArray())];
        }

        var columns = ColumnsOf(rows, headings);
        if (MinWidthOf(columns) > width)
        {
            return rows.SelectMany(row => Flow(row, width, paint));
        }

        var keys = columns.Where(column => !column.Wraps).Sum(column => column.Width + Gap);
        IReadOnlyList<Column> fitted = [.. columns.Select(c => c.Wraps ? c with { Width = Math.Min(c.Width, width - keys) } : c)];
        var head = headings is null ? [] : InColumns(
            [.. headings.Select((text, i) => rows.Any(row => row[i].IsRight) ? Cell.Number(text) : Cell.Key(text, Tint.Dim))],
            fitted,
            paint,
            width);
        return head.Concat(rows.SelectMany(row => InColumns(row, fitted, paint, width)));
    }

    /// <summary>Whether the rows fit in columns.</summary>
    public static bool IsInColumns(IReadOnlyList<IReadOnlyList<Cell>> rows, IReadOnlyList<string> headings, int width) =>
        MinWidthOf(ColumnsOf(rows, headings)) <= width;

    /// <summary>
    /// Breaks a text at blanks, except at a no-break space (U+00A0). A word is broken only if it is wider than a line.
    /// </summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        var used = 0;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(word => Pieces(word, width)))
        {
            var wordWidth = word.GetCellWidth();
            if (used > 0 && used + 1 + wordWidth > width)
            {
                yield return line.Replace(Unbroken, ' ').ToString();
                line.Clear();
                used = 0;
            }

            used += (used > 0 ? 1 : 0) + wordWidth;
            line.Append(line.Length > 0 ? " " : string.Empty).Append(word);
        }

        if (line.Length > 0)
        {
            yield return line.Replace(Unbroken, ' ').ToString();
        }
    }

    private static bool IsBroken(string text, int width) => text.Split(' ').Any(word => word.GetCellWidth() > width);

    private static int MinWidthOf(IReadOnlyList<Column> columns) =>
        columns.Sum(column => Gap + (column.Wraps ? Math.Min(column.Width, MinTextWidth) : column.Width)) - Gap;

    private static List<Column> ColumnsOf(IReadOnlyList<IReadOnlyList<Cell>> rows, IReadOnlyList<string>? headings)
    {
        List<Column> columns = [];
        for (var i = 0; i < (rows.Count == 0 ? 0 : rows[0].Count); i++)
        {
            var width = rows.Max(row => row[i].Width);
            columns.Add(new Column(i, width == 0 ? 0 : Math.Max(width, headings?[i].GetCellWidth() ?? 0), rows.Any(row => row[i].Wraps)));
        }

        // An empty column has no heading either.
        columns.RemoveAll(column => column.Width == 0);
        return columns;
    }

    private static IEnumerable<string> InColumns(
        IReadOnlyList<Cell> row, IReadOnlyList<Column> columns, Func<string, Tint, string> paint, int width)
    {
        // For example, a link that would be broken in its column but not on a line of its own.
        var below = row[^1] is { Wraps: true, Parts: [var words] } && columns is [.., { Wraps: true }] && IsBroken(words, columns[^1].Width)
            ? Wrap(words, width - Indent)
            : [];
        IReadOnlyList<string>[] cells =
        [
            .. columns.Select(column => row[column.Index] is { Wraps: true, Parts: [var text] }
                ? below.Any() ? [] : [.. Wrap(text, column.Width)]
                : row[column.Index].Parts),
        ];
        for (var i = 0; i < Math.Max(1, cells.Select(cell => cell.Count).DefaultIfEmpty().Max()); i++)
        {
            var line = new StringBuilder();
            var blanks = 0;
            foreach (var (column, cell) in columns.Zip(cells))
            {
                var text = i < cell.Count ? cell[i] : string.Empty;
                var rest = Math.Max(0, column.Width - text.GetCellWidth());
                if (text.Length > 0)
                {
                    line.Append(' ', blanks + (row[column.Index].IsRight ? rest : 0)).Append(paint(text, row[column.Index].Tint));
                    blanks = row[column.Index].IsRight ? Gap : rest + Gap;
                }
                else
                {
                    blanks += column.Width + Gap;
                }
            }

            yield return line.ToString();
        }

        foreach (var line in below)
        {
            yield return new string(' ', Indent) + paint(line, row[^1].Tint);
        }
    }

    private static List<string> Flow(IReadOnlyList<Cell> row, int width, Func<string, Tint, string> paint)
    {
        List<string> lines = [];
        var line = new StringBuilder();
        var used = 0;
        foreach (var cell in row)
        {
            var isBelow = cell.Wraps && used + (used > 0 ? Gap : 0) + cell.Width > width;
            foreach (var part in cell is { Wraps: true, Parts: [var text] } ? Wrap(text, isBelow ? width - Indent : width) : cell.Parts)
            {
                var partWidth = part.GetCellWidth();
                if (used > 0 && (isBelow || used + Gap + partWidth > width))
                {
                    NewLine();
                }

                Add(part, partWidth, cell.Tint);
            }
        }

        lines.Add(line.ToString());
        return lines;

        void NewLine()
        {
            lines.Add(line.ToString());
            line.Clear();
            used = 0;
        }

        void Add(string text, int textWidth, Tint tint)
        {
            var before = used > 0 ? Gap : lines.Count > 0 && Indent + textWidth <= width ? Indent : 0;
            line.Append(' ', before).Append(paint(text, tint));
            used += before + textWidth;
        }
    }

    /// <summary>Breaks a text wherever the width is full.</summary>
    public static IEnumerable<string> Pieces(string word, int width)
    {
        if (word.GetCellWidth() <= width)
        {
            return [word];
        }

        List<string> pieces = [];
        var piece = new StringBuilder();
        var used = 0;
        foreach (var rune in word.EnumerateRunes())
        {
            var text = rune.ToString();
            var runeWidth = text.GetCellWidth();
            if (used + runeWidth > width && piece.Length > 0)
            {
                pieces.Add(piece.ToString());
                piece.Clear();
                used = 0;
            }

            piece.Append(text);
            used += runeWidth;
        }

        return [.. pieces, piece.ToString()];
    }

    private sealed record Column(int Index, int Width, bool Wraps);
}
