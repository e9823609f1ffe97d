namespace Smtp2GoIngest.Storing;

/// <summary>Why something acknowledged became a dead letter; the values of the column <c>Reason</c>.</summary>
public static class DeadLetterReason
{
    /// <summary>The body is neither a form nor a JSON object that can be read.</summary>
    public const string Unparsable = "unparsable";

    /// <summary>The body is well-formed but names no event.</summary>
    public const string NoEvent = "no-event";

    /// <summary>The blob with the body is gone.</summary>
    public const string BlobMissing = "blob-missing";

    /// <summary>Table storage refuses the row for good.</summary>
    public const string Refused = "refused";

    /// <summary>An event with the same identity is stored, with other values.</summary>
    public const string Conflict = "conflict";

    /// <summary>The message, or one webhook in it, is not from this app or has another version.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Storing failed so often that the host gave up on the message.</summary>
    public const string Poison = "poison";
}
