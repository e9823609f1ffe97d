using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What a typed text may stand for, tried in the order of the properties.</summary>
/// <param name="EmailId">The email, if there is one with this id.</param>
/// <param name="Address">The recipient, if anything was sent to it: an address or a telephone number.</param>
/// <param name="MessageId">Otherwise emails with this Message-ID.</param>
/// <param name="Words">Otherwise emails with this text in their subject, sender, recipients or replies.</param>
internal sealed partial record SearchTarget(string? EmailId, string? Address, string? MessageId, string? Words)
{
    private const int MaxIdLength = 100;

    /// <returns>Null if nothing was typed.</returns>
    public static SearchTarget? Of(string? typed)
    {
        if (typed?.Trim() is not { Length: > 0 } text)
        {
            return null;
        }

        var bare = RecipientAddresses.Unwrap(text);
        var isOneWord = !text.Any(char.IsWhiteSpace);

        // SMTP2GO's Message-IDs hold the email's id; other Message-IDs look like addresses, and addresses look like them.
        var made = new EmailSearch(bare, null, null).EmailId;
        return made is not null && SubmissionTime.Of(made) is not null ? new SearchTarget(made, null, bare, null)
            : IsAddress(bare) ? new SearchTarget(made, bare, isOneWord ? bare : null, bare)
            : Number().IsMatch(text) ? new SearchTarget(null, Blanks().Replace(text, string.Empty), null, text)
            : isOneWord && text.Length <= MaxIdLength ? new SearchTarget(text, null, null, text)
            : new SearchTarget(null, null, null, text);
    }

    /// <summary>Which emails are looked for if there is neither such an email nor such a recipient.</summary>
    public Func<StoredEvent, bool> Matches()
    {
        var message = MessageId is null ? null : new EmailSearch(MessageId, null, null);
        var words = Words is null ? null : new EventFilter(Text: Words);
        return e => message?.Matches(e) == true || words?.Matches(e) == true;
    }

    /// <summary>Whether this email has an event.</summary>
    public static Task<bool> HasEmailAsync(TableServiceClient service, string emailId, CancellationToken cancellationToken) =>
        service.AnyAsync(EventStore.TableName, EventQueries.OfEmail(emailId), cancellationToken);

    /// <summary>Whether anything was sent to an address.</summary>
    public static Task<bool> HasRecipientAsync(TableServiceClient service, string address, CancellationToken cancellationToken) =>
        service.AnyAsync(EventIndex.ByRecipientTable, EventQueries.OfRecipient(address, since: null), cancellationToken);

    private static bool IsAddress(string text) =>
        text.IndexOf('@', StringComparison.Ordinal) is var at and > 0 && at < text.Length - 1 && !text.Any(char.IsWhiteSpace);

    [GeneratedRegex(@"^\+?[\d\s().-]{6,30}$", RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    [GeneratedRegex(@"[\s().-]", RegexOptions.NonBacktracking)]
    private static partial Regex Blanks();
}
