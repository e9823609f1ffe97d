using Azure.Data.Tables;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Emails that a search finds, the newest first: one event of each.</summary>
internal sealed class FoundEmails(TableServiceClient service, Func<StoredEvent, bool> matches, TimeProvider time)
{
    /// <summary>Beyond this, it is better to narrow the search.</summary>
    public const int MaxShown = 500;

    // Two of the reader's calls that find nothing: half a day of a large account, or everything in a small one.
    private const int RowsPerSearch = 2 * NewestFirst.MaxRows;
    private const int EmailsPerSearch = 50;

    // Together with the reader's last call, and with slow storage, this is still less than a page waits.
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(12);

    private readonly NewestFirst events = new(service, EventSource.Of(new EventFilter(), matches), time);
    private readonly HashSet<string> found = new(StringComparer.Ordinal);

    public List<StoredEvent> Emails { get; } = [];

    public int RowsRead => events.RowsRead;

    public DateTimeOffset LookedBackTo => events.LookedBackTo;

    public bool HasMore => !events.IsAtEnd && Emails.Count < MaxShown;

    /// <summary>Looks further back, until a page is full or it has read enough.</summary>
    public async Task ReadMoreAsync(CancellationToken cancellationToken)
    {
        var (enough, rows, started) = (Emails.Count + EmailsPerSearch, RowsRead + RowsPerSearch, time.GetTimestamp());
        while (HasMore && Emails.Count < enough && RowsRead < rows && time.GetElapsedTime(started) < MaxTime)
        {
            foreach (var e in await events.NextAsync(EmailsPerSearch, cancellationToken))
            {
                if (Emails.Count < MaxShown && (e.EmailId.Length == 0 || found.Add(e.EmailId)))
                {
                    Emails.Add(e);
                }
            }
        }
    }
}
