using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>
/// Why SMTP2GO did not even try to send an email. The event is the same for a suppressed recipient and for a fault of the sender;
/// only its message tells them apart, and SMTP2GO publishes no list of messages.
/// </summary>
internal sealed partial class Rejection
{
    private static readonly Rejection Recipient = new("rejected because of the recipient");
    private static readonly Rejection Sender = new("rejected because of the sender");
    private static readonly Rejection Unknown = new("rejected by SMTP2GO");

    private static readonly string[] OfAccount = ["sandbox", "credential", "quota", "limit"];
    private static readonly string[] OfSender = ["sender", "from address", "domain is not verified", "unverified"];
    private static readonly string[] OfRecipient = ["recipient", "suppress", "unsubscribe", "block list", "blocklist", "bounced"];

    private readonly string what;

    private Rejection(string what) => this.what = what;

    /// <summary>Only this one changes the recipient's state.</summary>
    public bool IsAboutRecipient => this == Recipient;

    public bool IsAboutSender => this == Sender;

    /// <summary>What the message names first is what it is about.</summary>
    public static Rejection Of(string? message) => message is null ? Unknown : OfWords(Address().Replace(message, string.Empty));

    private static Rejection OfWords(string message) =>
        FirstOf(OfAccount, message) < int.MaxValue ? Sender
        : (FirstOf(OfSender, message), FirstOf(OfRecipient, message)) switch
        {
            (int.MaxValue, int.MaxValue) => Unknown,
            var (sender, recipient) => sender < recipient ? Sender : Recipient,
        };

    public string Describe(string? message) => message is null ? what : $"{what}: {message}";

    private static int FirstOf(string[] words, string message) => words
        .Select(word => message.IndexOf(word, StringComparison.OrdinalIgnoreCase))
        .Where(at => at >= 0)
        .DefaultIfEmpty(int.MaxValue)
        .Min();

    // Its words are not the message's.
    [GeneratedRegex(@"\S+@\S+", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Address();
}
