using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What a text means to a reader; a terminal shows it as a colour.</summary>
internal enum Tint
{
    None,
    Good,
    Warning,
    Bad,
    Dim,
}

/// <summary>One cell of a row, in plain text.</summary>
internal sealed class Cell
{
    private Cell(IEnumerable<string?> parts, bool wraps, bool isRight, Tint tint)
    {
        Parts = [.. parts.Select(PlainText.Of).Where(part => part.Length > 0)];
        (Wraps, IsRight, Tint) = (wraps, isRight, tint);
        Width = Parts.Count == 0 ? 0 : Parts.Max(part => part.GetCellWidth());
    }

    /// <summary>Each is on one line, unless the cell wraps.</summary>
    public IReadOnlyList<string> Parts { get; }

    /// <summary>Its one part may be broken at blanks.</summary>
    public bool Wraps { get; }

    public bool IsRight { get; }

    public Tint Tint { get; }

    /// <summary>In terminal columns, if it is not wrapped.</summary>
    public int Width { get; }

    /// <summary>Something that people copy: an id, an address, a key, a time. It is never broken.</summary>
    public static Cell Key(string? text, Tint tint = Tint.None) => new([text], wraps: false, isRight: false, tint);

    /// <summary>Several of them, one under the other.</summary>
    public static Cell Keys(IEnumerable<string> texts) => new(texts, wraps: false, isRight: false, Tint.None);

    public static Cell Number(string text) => new([text], wraps: false, isRight: true, Tint.None);

    /// <summary>Words, which wrap. Only the last cell of a row may.</summary>
    public static Cell Text(string? text, Tint tint = Tint.None) => new([text?.Trim()], wraps: true, isRight: false, tint);

    /// <summary>All of it on one line.</summary>
    public Cell OnOneLine() => new([string.Join(", ", Parts)], Wraps, IsRight, Tint);
}
