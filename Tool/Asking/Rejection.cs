namespace Smtp2GoIngest.Tool.Asking;

/// <summary>
/// Why SMTP2GO did not even try to send an email. The event is the same for a suppressed recipient and for a fault of the sender;
/// only its message tells them apart, and SMTP2GO publishes no list of messages.
/// </summary>
internal sealed class Rejection
{
    private static readonly Rejection Recipient = new("rejected because of the recipient");
    private static readonly Rejection Sender = new("rejected because of the sender");
    private static readonly Rejection Unknown = new("rejected by SMTP2GO");

    private static readonly string[] OfSender = ["verif", "sandbox", "sender", "credential", "unauthori", "quota", "limit", "not allowed"];

    private readonly string what;

    private Rejection(string what) => this.what = what;

    /// <summary>Only this one changes the recipient's state.</summary>
    public bool IsAboutRecipient => this == Recipient;

    public static Rejection Of(string? message) =>
        message is null ? Unknown
        : message.Contains("suppress", StringComparison.OrdinalIgnoreCase) ? Recipient
        : OfSender.Any(word => message.Contains(word, StringComparison.OrdinalIgnoreCase)) ? Sender
        : Unknown;

    public string Describe(string? message) => message is null ? what : $"{what}: {message}";
}
