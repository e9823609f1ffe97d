using System.Security.Cryptography;
using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What was acknowledged and could not be stored. The texts are as stored and may hold control characters.</summary>
internal sealed record DeadLetter(DeadLetterKey Key, string Reason, string Error, DateTimeOffset? ReceivedAt)
{
    public static readonly string[] Columns = ["PartitionKey", "RowKey", ColumnNames.ReceivedAt, ColumnNames.Reason, ColumnNames.Error];

    public static DeadLetter Of(TableEntity row) => new(
        DeadLetterKey.Of(row),
        TextIn(row, ColumnNames.Reason),
        TextIn(row, ColumnNames.Error),
        row.TryGetValue(ColumnNames.ReceivedAt, out var at) && at is DateTimeOffset time ? time : null);

    private static string TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string text ? text : string.Empty;
}

/// <summary>Where a dead letter is in its table.</summary>
internal sealed record DeadLetterKey(string Day, string Row)
{
    /// <summary>The length of an id in hex digits.</summary>
    public const int IdLength = 16;

    /// <summary>Enough to tell thousands apart.</summary>
    public const int ShortIdLength = 8;

    /// <summary>What people type instead of the key: it does not change when other dead letters come and go.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Day}/{Row}")))[..IdLength];

    public string ShortId => Id[..ShortIdLength];

    public static DeadLetterKey Of(TableEntity row) => new(row.PartitionKey, row.RowKey);
}
