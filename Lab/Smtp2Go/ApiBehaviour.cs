namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Where an error's code stands in the answer.</summary>
public enum ErrorShape
{
    /// <summary>In <c>data</c>.</summary>
    InData,

    AtRoot,

    /// <summary>Each error in the other place than the one before.</summary>
    Alternating,
}

/// <summary>How the API behaves where SMTP2GO's documentation says nothing, or two things. May be changed at any time.</summary>
public sealed class ApiBehaviour
{
    public ErrorShape ErrorShape { get; set; } = ErrorShape.Alternating;

    /// <summary>True if <c>field_validation_errors</c> is an array, which it should not be.</summary>
    public bool ValidationErrorsAsArray { get; set; }

    /// <summary>True if a processed email is listed once for each recipient, and not once.</summary>
    public bool ProcessedPerRecipient { get; set; }

    /// <summary>True if /webhook/view answers an object, as documented, and not an array, as it was seen to.</summary>
    public bool WebhookViewAsObject { get; set; }

    /// <summary>True if a 429 has a <c>Retry-After</c>.</summary>
    public bool RetryAfter { get; set; }

    /// <summary>
    /// True if each page is cut from what can be searched at its own time. What becomes searchable between two pages then shifts the
    /// others, and the total changes. Otherwise the pages are those of the first page's time.
    /// </summary>
    public bool ShiftPages { get; set; }

    /// <summary>
    /// The virtual time that passes after each page that has a next one. With <see cref="ShiftPages"/>, events come into view.
    /// </summary>
    public TimeSpan TimePerPage { get; set; }

    /// <summary>True if on each page after the first one event comes again, and another never comes. The total stays the same.</summary>
    public bool ReorderPages { get; set; }

    /// <summary>How much later than in its webhook the time of an event is, for what is shown and for what is searched.</summary>
    public TimeSpan DateSkew { get; set; }

    /// <summary>True if a search finds what happened in the second of its end, which is documented as exclusive.</summary>
    public bool EndIsInclusive { get; set; }
}
