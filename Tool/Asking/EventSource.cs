using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Events that can be read backwards: where they are, and which of them are asked for.</summary>
/// <param name="Span">Nothing outside it is read.</param>
/// <param name="Widest">The longest time that one window may span; null if any time is one query.</param>
/// <param name="Queries">The filters that find the events of a window. They are asked at the same time.</param>
/// <param name="Matches">What storage cannot decide; null if there is no such condition.</param>
internal sealed record EventSource(
    string Table,
    TimeWindow Span,
    TimeSpan? Widest,
    Func<TimeWindow, IEnumerable<string>> Queries,
    Func<StoredEvent, bool>? Matches)
{
    private static readonly TimeWindow Always = new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);

    /// <summary>The events of all emails, except those without a time.</summary>
    /// <param name="more">Another condition; null if there is none.</param>
    public static EventSource Of(EventFilter filter, Func<StoredEvent, bool>? more = null) => new(
        EventIndex.ByDayTable,
        filter.Days is { } days ? TimeWindow.Of(days, TimeZoneInfo.Utc) : Always,
        filter.Kind is null ? null : EventFilter.WidestOfOneKind,
        filter.Queries,
        filter.IsDecidedByStorage && more is null ? null : e => filter.Matches(e) && more?.Invoke(e) != false);

    /// <summary>Only what happened before a time.</summary>
    public EventSource Before(DateTimeOffset end) => this with { Span = Span with { Until = Span.Until < end ? Span.Until : end } };

    /// <summary>The events of one recipient, except those without a time.</summary>
    public static EventSource OfRecipient(string address) => new(
        EventIndex.ByRecipientTable, Always, null, window => [EventQueries.OfRecipient(address, window)], null);
}
