using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>How many events of a kind SMTP2GO has of a day, and how many are stored.</summary>
public sealed record AuditedKind(EventKind Kind, long InSmtp2Go, long Stored)
{
    /// <summary>At least so many are missing: of each kind there may be events that only one side has.</summary>
    public long Missing => Math.Max(0, InSmtp2Go - Stored);
}

/// <summary>The result of an audit: a row of the partition <c>audit</c> of <c>Smtp2GoDays</c>, one for each day (UTC).</summary>
/// <param name="Day"><c>2026-03-24</c>.</param>
public sealed record DayAudit(string Day, DateTimeOffset AuditedAt, IReadOnlyList<AuditedKind> Kinds)
{
    /// <summary>The partition.</summary>
    internal const string Partition = "audit";

    private const string At = "AuditedAt";

    public long Missing => Kinds.Sum(kind => kind.Missing);

    /// <summary>Without <c>processed</c>: SMTP2GO may list it once for each recipient, webhooks have it once for each email.</summary>
    internal long MissingForSure => Kinds.Where(kind => !kind.Kind.IsOfEmail).Sum(kind => kind.Missing);

    internal TableEntity ToRow()
    {
        var row = new TableEntity(Partition, Day) { [At] = AuditedAt, ["Missing"] = MissingForSure };
        foreach (var (kind, inSmtp2Go, stored) in Kinds)
        {
            row[InColumn(kind)] = inSmtp2Go;
            row[StoredColumn(kind)] = stored;
        }

        return row;
    }

    /// <summary>Null if somebody else has written the row.</summary>
    internal static DayAudit? Of(TableEntity row) => DaysTable.TimeIn(row, At) is { } at
        ? new DayAudit(row.RowKey, at, [.. EventKind.All.Select(kind => new AuditedKind(
            kind, NumberIn(row, InColumn(kind)), NumberIn(row, StoredColumn(kind))))])
        : null;

    private static long NumberIn(TableEntity row, string column) => row.TryGetValue(column, out var value) ? value as long? ?? 0 : 0;

    // A column may have no hyphen.
    private static string InColumn(EventKind kind) => $"InSmtp2Go_{NameOf(kind)}";

    private static string StoredColumn(EventKind kind) => $"Stored_{NameOf(kind)}";

    private static string NameOf(EventKind kind) => kind.Bounce is null ? kind.Event : $"{kind.Event}_{kind.Bounce}";
}
