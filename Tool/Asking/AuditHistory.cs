using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What the daily audits have found: whether what SMTP2GO has is stored.</summary>
/// <param name="Days">The last days that were audited, the newest first; none if no audit has run yet.</param>
internal sealed record AuditHistory(IReadOnlyList<DayAudit> Days)
{
    private const int MostDays = 7;

    // AuditDay runs every day. Two runs may fail.
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(3);

    // Somebody has taken the key away.
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(30);

    public DateTimeOffset? LastAt => Days.Count == 0 ? null : Days.Max(day => day.AuditedAt);

    /// <summary>The days with something missing, the oldest first.</summary>
    public IReadOnlyList<DayAudit> Incomplete => [.. Days.Where(day => day.MissingForSure > 0).Reverse()];

    /// <summary>The command that lists what is missing; null if nothing is.</summary>
    public string? Command => Incomplete switch
    {
        [] => null,
        [var only] => $"smtp2go-ingest reconcile {only.Day}",
        [var first, .., var last] => $"smtp2go-ingest reconcile {first.Day} {last.Day}",
    };

    public static async Task<AuditHistory> ReadAsync(TableServiceClient tables, CancellationToken cancellationToken)
    {
        var partition = TableClient.CreateQueryFilter($"PartitionKey eq {DayAudit.Partition}");
        var days = await tables
            .RowsAsync(DaysTable.TableName, partition, ["RowKey"], cancellationToken)
            .Select(row => row.RowKey)
            .ToListAsync(cancellationToken);
        if (days.Count == 0)
        {
            return new AuditHistory([]);
        }

        var from = TableClient.CreateQueryFilter($" and RowKey ge {days[Math.Max(0, days.Count - MostDays)]}");
        var audits = await tables
            .RowsAsync(DaysTable.TableName, partition + from, columns: null, cancellationToken)
            .Select(DayAudit.Of)
            .OfType<DayAudit>()
            .ToListAsync(cancellationToken);
        audits.Reverse();
        return new AuditHistory(audits);
    }

    /// <summary>No audit has succeeded for days, although there was one before.</summary>
    public bool HasStopped(DateTimeOffset now) => now - LastAt > MaxAge;

    /// <summary>
    /// A finding of <c>check</c>; without detail if the app has no key for SMTP2GO's API: no audit has run yet, or none for long.
    /// </summary>
    public Finding Judge(Finding ok, DateTimeOffset now)
    {
        if (Days.Count == 0 || now - LastAt > Forgotten)
        {
            return ok with { Detail = string.Empty };
        }

        var found = Incomplete.Count > 0
            ? Invariant($"{string.Join(", ", Incomplete.Select(day => day.Day))}: at least {Incomplete.Sum(day => day.MissingForSure):N0} ")
                + $"events that SMTP2GO has are not stored; `{Command}` lists them"
            : Invariant($"{Days[0].Day}: all {Days[0].Kinds.Where(kind => kind.Missing == 0).Sum(kind => kind.InSmtp2Go):N0} events of ")
                + $"SMTP2GO are stored{(Days[0].Missing > 0 ? ", apart from processed, which it may list for each recipient" : null)}";
        return ok with
        {
            Ok = Incomplete.Count == 0 && !HasStopped(now),
            Detail = HasStopped(now)
                ? $"{found}. The last audit was{TimeText.Utc.On(LastAt)} (UTC). AuditDay should run every day: look at the app's log"
                : found,
        };
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
