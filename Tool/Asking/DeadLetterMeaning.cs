using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Why a webhook became a dead letter, and what to do about it: the short form of docs/troubleshooting.md.</summary>
internal sealed record DeadLetterMeaning(string Meaning, string Advice)
{
    /// <summary>Null if only a newer version knows the reason.</summary>
    public static DeadLetterMeaning? Of(string? reason) => reason switch
    {
        DeadLetterReason.NoEvent => new(
            "The webhook has no field 'event'.", "Look at the body: something other than SMTP2GO may be calling the webhook."),
        DeadLetterReason.Unparsable => new(
            "The body is not a form or JSON.", "Look at the body, and at any proxy between SMTP2GO and the app."),
        DeadLetterReason.Conflict => new(
            "An event with the same id is already stored with other values.",
            "Compare it with the stored one: somebody sent a changed copy, or two accounts share an id."),
        DeadLetterReason.Refused => new(
            "The table refused the row permanently.", "Look at the error code. Fix the cause, then replay."),
        DeadLetterReason.BlobMissing => new(
            "The blob with the body is gone.", "If the blob can be restored, do that and replay. Otherwise drop it."),
        DeadLetterReason.Unreadable => new(
            "The queue message is not from this app, or is from a newer version of it.", "Update the app, then replay."),
        DeadLetterReason.Poison => new(
            "Storing failed for a whole day.", "The log of StoreEvents says why. Fix the cause, then replay."),
        _ => null,
    };
}
