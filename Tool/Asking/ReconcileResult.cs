using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What a reconciliation has found so far.</summary>
/// <param name="isApplied">What is missing is filled in.</param>
internal sealed class ReconcileResult(ReconcileWindow window, bool isApplied)
{
    private const string InTheQueue = "in the queue now, stored within seconds. Run it again with the same days to see.";

    public ReconcileBooks Books { get; private set; } = ReconcileBooks.None;

    public DateTimeOffset From => window.From;

    /// <summary>How far it has come.</summary>
    public DateTimeOffset Until { get; private set; } = window.From;

    /// <summary>How many hours are done.</summary>
    public int Hours { get; private set; }

    public int HoursInAll => window.Hours;

    public bool IsApplied => isApplied;

    public bool IsComplete => Until == window.Until;

    /// <summary>Nothing is missing, or all of it is filled in, and everything was compared.</summary>
    public bool IsGood => IsComplete && Books.Unread.Count == 0 && !IsUnknownToSmtp2Go && Books.FilledIn == Books.Total.Missing;

    /// <summary>How long it will still take; null until an hour is done.</summary>
    public TimeSpan? Left(TimeSpan elapsed) => Hours == 0 ? null : elapsed * ((double)(window.Hours - Hours) / Hours);

    /// <summary>Since when SMTP2GO lists anything, if events are stored from before that: it may no longer keep them. Else null.</summary>
    public DateTimeOffset? ListedSince { get; private set; }

    public void Add(ReconciledSlice slice)
    {
        if (Books.Total is { InSmtp2Go: 0, Stored: > 0 } && slice.Books.Total.InSmtp2Go > 0)
        {
            ListedSince = slice.From;
        }

        Books = Books.Plus(slice.Books);
        Until = slice.Until;
        Hours++;
    }

    /// <summary>What it comes to, in one or two sentences.</summary>
    public string Verdict
    {
        get
        {
            var known = Books.Total.Missing switch
            {
                0 when Books.Unread.Count > 0 => "Nothing is missing in the hours that could be read.",
                0 when IsUnknownToSmtp2Go =>
                    "SMTP2GO lists no events at all, so nothing was compared: does it keep them this long, and is it the right account?",
                0 when Books.Total is { InSmtp2Go: 0, Stored: 0 } => "SMTP2GO lists no events in this time, and none are stored.",
                0 when !isApplied && Books.Superseded > 0 => "Nothing is missing. Add --apply to remove what is there twice.",
                0 when ListedSince is { } since => $"Nothing is missing since {ReconcileSpan.ToText(since)}.",
                0 => "Nothing is missing.",
                1 when isApplied => $"1 event was missing and is filled in: {InTheQueue}",
                var many when isApplied => $"{PlainText.Count(many, "event")} were missing and are filled in: {InTheQueue}",
                1 => "1 event is missing. Add --apply to fill it in.",
                var many => $"{PlainText.Count(many, "event")} are missing. Add --apply to fill them in.",
            };
            return Books.Unread.Count switch
            {
                0 => known,
                1 => $"{known} 1 hour could not be read: run it again.",
                var many => $"{known} {PlainText.Count(many, "hour")} could not be read: run it again.",
            };
        }
    }

    // All that is stored is then surplus. That is no proof that nothing is missing.
    private bool IsUnknownToSmtp2Go => Books.Total is { InSmtp2Go: 0, Stored: > 0 };
}
