using Azure.Data.Tables;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Reconciling;

/// <summary>All that is stored.</summary>
internal sealed class StoredEvents
{
    private static readonly string[] Columns =
        ["PartitionKey", "RowKey", "event", "bounce", "email_id", "rcpt", "time", "id", "source"];

    private readonly List<TableEntity> rows;

    private StoredEvents(List<TableEntity> rows) => this.rows = rows;

    public IReadOnlyList<StoredCopy> Copies => [.. rows.Select(row => new StoredCopy(
        row.GetString("email_id"),
        row.GetString("event"),
        row.GetString("bounce"),
        row.GetString("rcpt"),
        row.GetDateTimeOffset("time")!.Value,
        row.GetString("id"),
        row.GetString("source") == "activity"))];

    /// <summary>Each row with its version: two that are equal mean that nothing was written in between.</summary>
    public IReadOnlySet<(string PartitionKey, string RowKey, string ETag)> Versions =>
        rows.Select(row => (row.PartitionKey, row.RowKey, row.ETag.ToString())).ToHashSet();

    public static async Task<StoredEvents> ReadAsync(TableServiceClient tables, CancellationToken cancellationToken) => new(
        await tables.GetTableClient(EventStore.TableName)
            .QueryAsync<TableEntity>(select: Columns, cancellationToken: cancellationToken)
            .ToListAsync(cancellationToken));
}
