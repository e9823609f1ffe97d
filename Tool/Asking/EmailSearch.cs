using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What to search emails for; null values are ignored.</summary>
/// <param name="MessageId">The whole <c>Message-ID</c>, with or without its angle brackets.</param>
/// <param name="Subject">Part of the subject, in any case.</param>
/// <param name="Sender">Part of the sender's address, in any case.</param>
internal sealed record EmailSearch(string? MessageId, string? Subject, string? Sender)
{
    /// <summary>The email's id in a Message-ID that SMTP2GO made itself, <c>&lt;E…@…&gt;</c>: then one partition is enough.</summary>
    /// <remarks>Seen in one live sample (smtp2go.md); if it is not so, the days are read.</remarks>
    public string? EmailId =>
        MessageId is { } id && Bare(id) is var bare && bare.StartsWith('E')
        && bare.IndexOf('@', StringComparison.Ordinal) is var at and > 1
            ? bare[1..at]
            : null;

    /// <summary>The first event found of each email, in the order of the table: by day, kind and time.</summary>
    /// <param name="progress">How many events were read.</param>
    public async IAsyncEnumerable<StoredEvent> FindAsync(
        TableServiceClient service,
        TimeWindow window,
        IProgress<long> progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // These ids stay in memory as long as the caller reads on; a limit bounds them.
        HashSet<string> found = new(StringComparer.Ordinal);
        var read = 0L;
        if (EmailId is { } emailId)
        {
            var rows = service.RowsAsync(EventStore.TableName, EventQueries.OfEmail(emailId), StoredEvent.Columns, cancellationToken);
            await foreach (var e in rows.Select(StoredEvent.Of))
            {
                progress.Report(++read);
                if (Matches(e) && found.Add(e.EmailId))
                {
                    yield return e;
                }
            }

            if (found.Count > 0)
            {
                yield break;
            }
        }

        var filters = EventQueries.OfSpan(window, eventName: null);
        await foreach (var row in service.RowsAsync(EventIndex.ByDayTable, filters, StoredEvent.Columns, cancellationToken))
        {
            progress.Report(++read);
            var e = StoredEvent.Of(row);
            if (Matches(e) && (e.EmailId.Length == 0 || found.Add(e.EmailId)))
            {
                yield return e;
            }
        }
    }

    /// <summary>Whether an event belongs to such an email.</summary>
    public bool Matches(StoredEvent e) =>
        (MessageId is null || (e.MessageId is { } id && Bare(id) == Bare(MessageId)))
        && (Subject is null || e.Subject?.Contains(Subject, StringComparison.OrdinalIgnoreCase) == true)
        && (Sender is null || e.Sender?.Contains(Sender, StringComparison.OrdinalIgnoreCase) == true);

    private static string Bare(string messageId) => messageId.Trim().TrimStart('<').TrimEnd('>');
}
