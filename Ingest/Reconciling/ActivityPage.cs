namespace Smtp2GoIngest.Reconciling;

/// <summary>A search in SMTP2GO's activity.</summary>
/// <param name="From">Inclusive.</param>
/// <param name="Until">Exclusive.</param>
/// <param name="EventType">A name in the words of <c>/activity/search</c>; null for all.</param>
/// <param name="Limit">How many events a page may have: 1 to 1,000.</param>
public sealed record ActivitySearch(
    DateTimeOffset From, DateTimeOffset Until, string? EventType = null, int Limit = ActivitySearch.MaxLimit)
{
    public const int MaxLimit = 1_000;
}

/// <summary>A page of <c>/activity/search</c>. The order of the events is not documented.</summary>
/// <param name="Total">How many events match the search, on all pages.</param>
/// <param name="ContinueToken">Asks for the next page; null on the last one. How long it lives is not documented.</param>
public sealed record ActivityPage(IReadOnlyList<ActivityEvent> Events, long Total, string? ContinueToken);

/// <summary>A webhook as SMTP2GO has it. What it leaves out is empty.</summary>
public sealed record Smtp2GoWebhook(
    string? Url,
    IReadOnlyList<string> Events,
    IReadOnlyList<string> Headers,
    IReadOnlyList<string> Usernames,
    string? OutputFormat,
    string? AuthHeaderType);
