using Azure.Data.Tables;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>A span of time that is being read, with its queries.</summary>
/// <param name="MaxRows">With more rows it is too wide.</param>
internal sealed record EventWindow(TimeWindow Span, int MaxRows, IReadOnlyList<EventWindow.Part> Parts)
{
    public bool IsRead => Parts.All(part => part.IsRead);

    public bool IsFull => !IsRead && Parts.Sum(part => part.Rows.Count) >= MaxRows;

    public List<TableEntity> TakeRows()
    {
        List<TableEntity> rows = [.. Parts.SelectMany(part => part.Rows)];
        foreach (var part in Parts)
        {
            part.Rows.Clear();
        }

        return rows;
    }

    /// <summary>One of the queries, and what it has found so far.</summary>
    internal sealed class Part(string filter)
    {
        public string Filter => filter;

        public List<TableEntity> Rows { get; } = [];

        /// <summary>The continuation token of the last page.</summary>
        public string? Next { get; set; }

        public bool IsRead { get; set; }
    }
}
