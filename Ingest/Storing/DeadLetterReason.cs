namespace Smtp2GoIngest.Storing;

/// <summary>Why something acknowledged became a dead letter; the texts stand in the column <c>Reason</c>.</summary>
public static class DeadLetterReason
{
    /// <summary>The body is neither a form nor a JSON object that can be read.</summary>
    public const string Unparsable = "unparsable";

    /// <summary>The body is sound but names no event.</summary>
    public const string NoEvent = "no-event";

    /// <summary>The blob that held the body is gone.</summary>
    public const string BlobMissing = "blob-missing";

    /// <summary>Table storage refuses the row for good.</summary>
    public const string Refused = "refused";

    /// <summary>An event of the same identity is stored and says something else.</summary>
    public const string Conflict = "conflict";

    /// <summary>The message, or one webhook in it, is none of this app's, or of another version.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Storing failed so often that the host gave the message up.</summary>
    public const string Poison = "poison";
}
