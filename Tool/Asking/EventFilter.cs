using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Which events are asked for. Null means any.</summary>
/// <param name="Event">The name of an event, in any of its spellings.</param>
/// <param name="Sender">Part of the sender's address, in any case; <c>@example.com</c> is exactly that domain.</param>
/// <param name="Domain">The recipient's. Events that name several recipients have none.</param>
/// <param name="Provider">Who runs the recipient's mailbox.</param>
/// <param name="Class">Why it bounced or was rejected.</param>
/// <param name="Text">
/// Part of the subject, a recipient, the reply or the sender, in any case; <c>550 5.1.1</c> also finds replies with <c>550-5.1.1</c>.
/// </param>
/// <param name="Days">In UTC.</param>
/// <param name="Bounce"><see cref="Hard"/> or <see cref="Soft"/> bounces.</param>
/// <param name="IsMachine">Opens and clicks by machines, or by people.</param>
internal sealed record EventFilter(
    string? Event = null,
    string? Sender = null,
    string? Domain = null,
    string? Provider = null,
    string? Class = null,
    string? Text = null,
    DayRange? Days = null,
    string? Bounce = null,
    bool? IsMachine = null)
{
    public const string Hard = "hard";

    public const string Soft = "soft";

    /// <summary>Each day is a query.</summary>
    public static readonly TimeSpan WidestOfOneKind = TimeSpan.FromDays(8);

    private readonly string? name = Event is not null ? EventName.Normalize(Event) : Bounce is not null ? "bounce" : null;
    private readonly string? domain = Domain is null ? null : RecipientQuery.DomainOf(Domain);
    private readonly string? senderDomain = Sender is ['@', _, ..] ? RecipientQuery.DomainOf(Sender) : null;
    private readonly string? reason = Text is not null && BounceReport.IsWholeCode(Text) ? BounceReport.ReasonOf(Text) : null;

    /// <summary>Storage returns only what is asked for.</summary>
    public bool IsDecidedByStorage => Sender is null && Text is null && Bounce is null && IsMachine is null;

    /// <summary>The only event that is asked for; null for all.</summary>
    public string? Kind => name;

    private string Conditions =>
        string.Concat(Columns.Select(column => $" and {column.Column} eq {TableClient.CreateQueryFilter($"{column.Value}")}"))
        + (IsMachine is true ? $" and {ColumnNames.LikelyMachine} eq true" : string.Empty);

    private IEnumerable<(string Column, string Value)> Columns
    {
        get
        {
            (string, string?)[] all =
            [
                (ColumnNames.RecipientDomain, domain), (ColumnNames.MailboxProvider, Provider), (ColumnNames.BounceClass, Class),
            ];
            return all.Where(column => column.Item2 is not null)!;
        }
    }

    /// <summary>One query for all kinds of events, or one per day for a single kind.</summary>
    /// <remarks>
    /// A query for each known kind would be quicker on Azure, which would not look at rows outside the window. But on Azurite it takes
    /// fifteen times as long, and it misses events that SMTP2GO will add tomorrow.
    /// </remarks>
    public IEnumerable<string> Queries(TimeWindow window)
    {
        // A query per day would be thousands of them for the future, which usually has no events.
        return name is null || window.Until - window.From > WidestOfOneKind + TimeSpan.FromDays(1)
            ? EventQueries.OfSpan(window, eventName: null).Select(query =>
                query + (name is null ? string.Empty : TableClient.CreateQueryFilter($" and event eq {name}")) + Conditions)
            : EventQueries.OfSpan(window, name).Select(query => query + Conditions);
    }

    /// <summary>What storage cannot decide.</summary>
    public bool Matches(StoredEvent e) =>
        (Sender is null || (senderDomain is null ? Has(e.Sender, Sender) : DomainOf(e.Sender) == senderDomain))
        && (Text is null || Has(e.Subject, Text) || Has(e.Sender, Text) || IsInReply(e, Text) || e.Recipients.Any(it => Has(it, Text)))
        && Bounce switch
        {
            null => true,
            Hard => e.IsHardBounce,
            Soft => e is { Name: "bounce", IsHardBounce: false },
            _ => false,
        }
        && (IsMachine is null || (e.Name is "open" or "click" && e.IsLikelyMachine == IsMachine));

    /// <summary>All conditions, for a row that was found in another way.</summary>
    public bool Matches(TableEntity row, StoredEvent e) =>
        (name is null || e.Name == name)
        && Columns.All(column => row.TryGetValue(column.Column, out var value) && column.Value.Equals(value))
        && (Days is null || (e.Time is { } time && Days.Includes(time)))
        && Matches(e);

    private bool IsInReply(StoredEvent e, string text) => reason is null ? Has(e.Reply, text) : BounceReport.ReasonOf(e.Reply) == reason;

    private static string? DomainOf(string? sender) => sender is null ? null : RecipientDomain.Of(RecipientAddresses.Unwrap(sender));

    private static bool Has(string? text, string part) => text?.Contains(part, StringComparison.OrdinalIgnoreCase) == true;
}
