using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;

namespace Smtp2GoIngest.Storing;

/// <summary>What the events of one address say about mail to it. A pure function of its rows in the index by recipient.</summary>
/// <remarks>
/// The rows come in the order of their keys, so in order of time, and within a millisecond by name: it does not matter when or how often
/// an event was received. Rows without a time, whose keys are the last, count as the oldest (<see cref="Filters"/>). Test events do not
/// count.
/// <list type="bullet">
/// <item><c>spam</c>: complained. <c>unsubscribe</c>, and <c>opt-out</c> of an SMS: unsubscribed.</item>
/// <item>A hard <c>bounce</c>: hard-bounced. Three soft ones without a delivery between them: soft-bouncing.</item>
/// <item>A <c>reject</c> because the recipient is suppressed: suppressed. Any other reject is not about the recipient and is ignored.
/// </item>
/// <item>A delivery ends hard-bounced, suppressed and soft-bouncing, and the count of soft bounces starts again. It never ends complained
/// or unsubscribed.</item>
/// <item><c>resubscribe</c> ends every state: SMTP2GO sends it also when an address is taken off its Suppressions.</item>
/// <item>Without a state the address is active, since the last resubscribe or the last delivery that ended a state.</item>
/// </list>
/// A state holds since the first event that began it, and soft-bouncing since the third soft bounce. There is no state at all without one
/// of these events, however many deliveries there are.
/// </remarks>
public sealed class RecipientFold
{
    /// <summary>The columns that <see cref="Add"/> reads.</summary>
    public static readonly IReadOnlyList<string> Columns =
    [
        "PartitionKey", "RowKey", "event", "bounce", "message", ColumnNames.BounceClass, ColumnNames.IsTest, ColumnNames.Recipient,
    ];

    private const int MostSoftBounces = 3;

    /// <summary>The events that may count for a state; a reject only if the recipient is suppressed.</summary>
    internal static readonly string[] StateEvents = ["bounce", "spam", "unsubscribe", "resubscribe", "opt-out", "reject"];
    private static readonly string[] Deliveries = ["delivered", "sms_delivered"];

    // The rows that began a state, or ended the last one.
    private TableEntity? complained;
    private TableEntity? unsubscribed;
    private TableEntity? hardBounced;
    private TableEntity? suppressed;
    private TableEntity? softBouncing;
    private TableEntity? ended;

    private int softBounces;
    private TableEntity? last;
    private string? bounceClass;
    private DateTimeOffset? delivered;

    /// <summary>The state after all rows so far; null if none of them counts for it.</summary>
    public RecipientState? State => last is null ? null : new(
        TextIn(last, ColumnNames.Recipient) ?? last.PartitionKey,
        complained is not null ? RecipientState.Complained
            : unsubscribed is not null ? RecipientState.Unsubscribed
            : hardBounced is not null ? RecipientState.HardBounced
            : suppressed is not null ? RecipientState.Suppressed
            : softBouncing is not null ? RecipientState.SoftBouncing
            : RecipientState.Active,
        (Cause ?? ended) is { } since ? TimeOf(since) : null,
        NameOf(last)!,
        Cause is null ? bounceClass : complained is null && unsubscribed is null ? ClassOf(Cause) : null,
        delivered);

    /// <summary>The row that began the state; null if it is active.</summary>
    public TableEntity? Cause => complained ?? unsubscribed ?? hardBounced ?? suppressed ?? softBouncing;

    /// <summary>Finds every row that counts for a state, in any partition.</summary>
    internal static string AnyStateEvent => Names(StateEvents);

    /// <summary>Finds the rows to add, in the order of their keys: what has no time comes last.</summary>
    internal static string Filter(string partitionKey) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {partitionKey}") + $" and {Names([.. StateEvents, .. Deliveries])}";

    /// <summary>Finds the same rows in the order in which to add them: first what has no time.</summary>
    internal static IReadOnlyList<string> Filters(string partitionKey) =>
    [
        Filter(partitionKey) + TableClient.CreateQueryFilter($" and RowKey ge {EventKeys.NoTime}"),
        Filter(partitionKey) + TableClient.CreateQueryFilter($" and RowKey lt {EventKeys.NoTime}"),
    ];

    /// <summary>Whether an event counts for the state of its recipients. A delivery does not: it only ends a state.</summary>
    /// <param name="row">Its row in any of the three tables.</param>
    public static bool IsStateEvent(TableEntity row) =>
        !IsTest(row) && StateEvents.Contains(NameOf(row)) && (NameOf(row) != "reject" || ClassOf(row) == BounceClass.Suppressed);

    /// <summary>Whether a row has no time, and so must be added before those that have one.</summary>
    internal static bool IsTimeless(TableEntity row) => string.CompareOrdinal(row.RowKey, EventKeys.NoTime) >= 0;

    /// <summary>Adds the next row.</summary>
    public void Add(TableEntity row)
    {
        if (Deliveries.Contains(NameOf(row)) && !IsTest(row))
        {
            delivered = TimeOf(row);
            ended = (hardBounced ?? suppressed ?? softBouncing) is null ? ended : row;
            (hardBounced, suppressed, softBouncing, softBounces) = (null, null, null, 0);
            return;
        }

        if (!IsStateEvent(row))
        {
            return;
        }

        last = row;
        switch (NameOf(row))
        {
            case "spam":
                complained ??= row;
                break;
            case "unsubscribe" or "opt-out":
                unsubscribed ??= row;
                break;
            case "resubscribe":
                (complained, unsubscribed, hardBounced, suppressed, softBouncing, softBounces) = (null, null, null, null, null, 0);
                ended = row;
                break;
            case "reject":
                bounceClass = ClassOf(row);
                suppressed ??= row;
                break;
            case "bounce" when string.Equals(TextIn(row, "bounce"), "hard", StringComparison.OrdinalIgnoreCase):
                bounceClass = ClassOf(row);
                hardBounced ??= row;
                break;
            default:
                bounceClass = ClassOf(row);
                softBouncing = ++softBounces == MostSoftBounces ? row : softBouncing;
                break;
        }
    }

    private static string Names(IEnumerable<string> names) => $"({string.Join(" or ", names.Select(name => $"event eq '{name}'"))})";

    private static string? NameOf(TableEntity row) => TextIn(row, "event");

    private static bool IsTest(TableEntity row) => row.TryGetValue(ColumnNames.IsTest, out var test) && test is true;

    // A row that was stored before there was such a column has none.
    private static string? ClassOf(TableEntity row) =>
        TextIn(row, ColumnNames.BounceClass) ?? BounceClassifier.Of(NameOf(row)!, TextIn(row, "message"));

    // From the key, which decides the order. A key can hold times that a column cannot.
    private static DateTimeOffset? TimeOf(TableEntity row) =>
        EventKeys.TimeOf(row.RowKey) is { } time && time >= TableLimits.MinTime ? time : null;

    private static string? TextIn(TableEntity row, string column) =>
        row.TryGetValue(column, out var value) && value is string { Length: > 0 } text ? text : null;
}
