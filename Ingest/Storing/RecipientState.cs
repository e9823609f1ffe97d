using Azure.Data.Tables;

namespace Smtp2GoIngest.Storing;

/// <summary>Whether mail may be sent to an address, and why not: a row of <see cref="Recipients"/>.</summary>
/// <param name="Recipient">The address as sent in the last event that counts for the state.</param>
/// <param name="State">One of <see cref="All"/>.</param>
/// <param name="StateSince">When it began; null if that is not known, or if the address has always been active.</param>
/// <param name="LastEvent">The name of the last event that counts for the state; never a delivery.</param>
/// <param name="BounceClass">The class of the bounce or reject that began the state; of the last bounce if it is active.</param>
/// <param name="LastDelivered">When something was last delivered.</param>
public sealed record RecipientState(
    string Recipient, string State, DateTimeOffset? StateSince, string LastEvent, string? BounceClass, DateTimeOffset? LastDelivered)
{
    /// <summary>It marked an email as spam.</summary>
    public const string Complained = "complained";

    /// <summary>It does not want any more email or SMS.</summary>
    public const string Unsubscribed = "unsubscribed";

    /// <summary>An email bounced for good, and nothing was delivered since then.</summary>
    public const string HardBounced = "hard-bounced";

    /// <summary>SMTP2GO does not send to it, and nothing was delivered since then.</summary>
    public const string Suppressed = "suppressed";

    /// <summary>It had three or more soft bounces, and nothing was delivered since the first of them.</summary>
    public const string SoftBouncing = "soft-bouncing";

    /// <summary>Mail may be sent.</summary>
    public const string Active = "active";

    /// <summary>All of them. Where several hold, the first one counts.</summary>
    public static readonly IReadOnlyList<string> All = [Complained, Unsubscribed, HardBounced, Suppressed, SoftBouncing, Active];

    internal static RecipientState? Of(TableEntity? row) => row is null ? null : new(
        TextIn(row, ColumnNames.Recipient) ?? string.Empty,
        TextIn(row, ColumnNames.State) ?? string.Empty,
        TimeIn(row, ColumnNames.StateSince),
        TextIn(row, ColumnNames.LastEvent) ?? string.Empty,
        TextIn(row, ColumnNames.BounceClass),
        TimeIn(row, ColumnNames.LastDelivered));

    internal TableEntity ToRow(string partitionKey, string rowKey)
    {
        var row = new TableEntity(partitionKey, rowKey)
        {
            [ColumnNames.Recipient] = Recipient,
            [ColumnNames.State] = State,
            [ColumnNames.LastEvent] = LastEvent,
        };
        Set(ColumnNames.StateSince, StateSince);
        Set(ColumnNames.BounceClass, BounceClass);
        Set(ColumnNames.LastDelivered, LastDelivered);
        return row;

        void Set(string column, object? value)
        {
            if (value is not null)
            {
                row[column] = value;
            }
        }
    }

    private static string? TextIn(TableEntity row, string column) => row.TryGetValue(column, out var value) ? value as string : null;

    private static DateTimeOffset? TimeIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) ? value as DateTimeOffset? : null;
}
