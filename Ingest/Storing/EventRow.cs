using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>What happened when an event was to be stored.</summary>
public enum StoreOutcome
{
    /// <summary>Not tried yet.</summary>
    None,

    /// <summary>The row is new.</summary>
    Stored,

    /// <summary>The row was there from an earlier try of this same webhook.</summary>
    StoredBefore,

    /// <summary>Another webhook brought the same event before.</summary>
    Duplicate,

    /// <summary>Another webhook brought an event with the same identity but other values.</summary>
    Conflict,

    /// <summary>Storage failed, or refused a row; <see cref="EventRow.Failure"/> says how.</summary>
    Failed,
}

/// <summary>An event, the webhook that brought it, its row, and what happened to it.</summary>
public sealed class EventRow
{
    private EventRow(EmailEvent emailEvent, ReceivedWebhook webhook, TableEntity row) => (Event, Webhook, Row) = (emailEvent, webhook, row);

    private EventRow(EmailEvent emailEvent, ReceivedWebhook webhook, EventFacts facts)
        : this(emailEvent, webhook, EventColumns.ToRow(emailEvent, webhook, facts)) => Facts = facts;

    public EmailEvent Event { get; }

    public ReceivedWebhook Webhook { get; }

    /// <summary>What the event says beyond its fields.</summary>
    public EventFacts Facts
    {
        get => field ??= EventFacts.Of(Event);
        private init;
    }

    /// <summary>The row to write; if one was there before, that one.</summary>
    public TableEntity Row { get; internal set; }

    public StoreOutcome Outcome { get; internal set; }

    /// <summary>This try wrote its own row, whatever happened to its index rows. Each event is counted once, by this.</summary>
    public bool IsNew { get; private set; }

    /// <summary>Why it failed; null if it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The event is in <c>Smtp2GoEvents</c>, whoever put it there.</summary>
    public bool IsThere => Outcome is StoreOutcome.Stored or StoreOutcome.StoredBefore or StoreOutcome.Duplicate;

    /// <summary>An event to store.</summary>
    public static EventRow New(EmailEvent emailEvent, ReceivedWebhook webhook) =>
        new(emailEvent, webhook, EventFacts.Of(emailEvent));

    /// <summary>An event that is stored already.</summary>
    public static EventRow Of(EmailEvent emailEvent, TableEntity stored) => new(emailEvent, WebhookOf(stored), stored);

    /// <summary>The webhook that a stored row came from, without its trace.</summary>
    internal static ReceivedWebhook WebhookOf(TableEntity stored) => new(
        stored.GetString(ColumnNames.WebhookId),
        stored.GetDateTimeOffset(ColumnNames.ReceivedAt) ?? default,
        stored.GetString(ColumnNames.ContentType),
        stored.GetString(ColumnNames.Body),
        stored.GetString(ColumnNames.BodyBlob));

    internal void Store() => (Outcome, IsNew) = (StoreOutcome.Stored, true);

    internal void Fail(Exception failure) => (Outcome, Failure) = (StoreOutcome.Failed, failure);
}
