namespace Smtp2GoIngest.Parsing;

/// <summary>The fields whose values are more than text, by the names that SMTP2GO documents or is known to send.</summary>
internal static class FieldTypes
{
    private static readonly HashSet<string> Times =
        ["time", "sendtime", "opened-at", "clicked-at", "received_timestamp", "submitted_timestamp"];

    private static readonly HashSet<string> Numbers = ["read-secs", "retry_count"];

    public static bool IsTime(string name) => Times.Contains(name);

    public static bool IsNumber(string name) => Numbers.Contains(name);

    /// <summary>The recipients of an email. Some form encoders add <c>[]</c> to the name of a list.</summary>
    public static bool IsRecipients(string name) => name is "recipients" or "recipients[]";

    /// <summary>Recipients of an email, or the one recipient of an event.</summary>
    public static bool HoldsAddresses(string name) => name == "rcpt" || IsRecipients(name);

    /// <summary>What SMTP2GO writes when it has no value.</summary>
    public static bool IsMissing(string text) => text == "Unavailable";
}
