using System.Buffers;

namespace Smtp2GoIngest.Classifying;

/// <summary>Phrases that give away a reply's class. The first group with a match counts, so the order matters.</summary>
/// <remarks>
/// They are searched for in <see cref="ReplyWords"/>: lower case, no punctuation, no apostrophes. A blank at the beginning or end of one
/// is the beginning or end of a word.
/// </remarks>
internal static class ReplyTexts
{
    public const string Version = "1";
    public const string Date = "2026-11-26";
    public const string Source =
        "replies of Gmail, Microsoft 365, Outlook.com, Yahoo, iCloud, Proton, Postfix, Exim, Exchange, Mimecast, Proofpoint and Barracuda, "
        + "as their documentation and logs show them; FunctionApp.Tests/Classifying/replies.tsv has one of each shape";

    public static readonly IReadOnlyList<ReplyTextGroup> OfBounces =
    [
        // Before the limits on rates: Gmail limits the rate of mail that is not signed, and signing it ends that.
        new(BounceClass.Authentication,
        [
            " spf ", " dkim ", " dmarc ", "sender policy framework", "domainkeys", "unauthenticated", "authentication checks",
            "authentication level", "authentication results", "reverse dns", " rdns ", " ptr ", "reverse hostname", "find your hostname",
            "find your reverse", "reverse lookup", "reverse mapping", "reverse record", "valid reverse", "fcrdns",
            "failed authentication", "fails authentication", "pass authentication", " arc ", "spoof",
        ]),

        // The other side is set up wrongly, or the address belongs elsewhere: nothing that a sender or a retry can change.
        new(BounceClass.Other,
        [
            " hops ", "hop count", "mail loop", "routing loop", "loops back", "loop detected", "relay access", "relay denied",
            "relaying denied", "relay not ", "relaying not ", "unable to relay", "not relay",
        ]),
        new(BounceClass.Unreachable, ["not found try again"]),

        // Before "name service" and "MX", which are about servers that do not answer.
        new(BounceClass.InvalidRecipient,
            ["host or domain name not found", "domain name not found", "unknown host", "indicated no smtp service", "no such domain"],
            OnlyPermanent: true),
        new(BounceClass.Throttled, ["rate limit", "temporarily deferred", "unusual rate", "temporarily limited"], OnlyTemporary: true),
        new(BounceClass.Blocked,
        [
            "spamhaus", "spamcop", " sorbs ", "uceprotect", "abuseat", "barracuda reputation", "barracudacentral", " rbl", "dnsbl",
            "blocklist", "block list", "blacklist", "black list", "blocked list", "denylist", "deny list", "blocked using", " is listed",
            " are listed", "was listed", "listed in ", "listed on ", "listed at ", "listed by ", "listing in ", "reputation",
            "banned ip", "banned send", "been banned", "is banned", "senderbase", "blocked sender", "sender blocked", "unusual rate",
        ]),
        new(BounceClass.Throttled,
        [
            " rate ", "too many", "greylist", "graylist", "grey list", "gray list", "throttl", "too quickly", "too fast", "too frequent",
            "too often", "excessive volume", "unexpected volume", "concurrent", "connection limit", "connections limit", "sending limit",
            "hourly limit", "daily limit", "message limit", "messages limit", "thread limit", "recipient limit", "recipients limit",
            "sending quota", "daily quota", "hourly quota", "receive limit", "receiving limit", "limit on connections", "per hour",
            "per minute", "per second", "per day", "messages per", "recipients per", "connections per", "per connection", " flood",
            "deferred due to", "slow down", "server busy", "server is busy", "too busy", "system busy", "internal resources are",
            "verification in progress", "try again in ", "retry in ", "come back later", "early retry",
        ]),
        new(BounceClass.Unreachable,
        [
            "starttls", " tls ", " ssl ", "certificate", "connection timed out", "connection refused", "connection reset",
            "connection lost", "connection dropped", "connection closed", "connection was", "connection failed", "connection error",
            "lost connection", "was dropped", "network is unreachable", "no route to host", "host unreachable", "host is unreachable",
            "could not connect", "couldnt connect", "unable to connect", "cannot connect", "failed to connect", "connect failed",
            "timed out", "timeout", "no answer from host", "message expired", "queue expired", "delivery time expired", "retry time",
            "no mx ", "mx record", "mx host", "dns query", "dns lookup", "dns failure", "dns error", "dns timeout", "temporary dns",
            "nameserver", "name server", "name service", "servfail", "host lookup", "could not resolve", "unable to resolve",
            "cannot resolve", "failed to resolve",
        ]),
        new(BounceClass.MailboxFull,
        [
            "mailbox full", "mailbox is full", "mailbox too full", "mailbox is too full", "mail box full", "mail box is full",
            "inbox full", "inbox is full", "full mailbox", "account is full", "over quota", "overquota", "over its quota",
            "over their quota", "over the quota", "over his quota", "above quota", "quota exceed", "quotaexceed", "exceeded quota",
            "exceeds quota", "exceed quota", "exceeded its quota", "exceeded the quota", "exceeds the quota", "exceeded their quota",
            "exceeding quota", "quota is full", "quota full", "quota violation", "mailbox quota", "user quota", "disk quota",
            "storage quota", "exceeded storage", "exceeded its storage", "exceeded the storage", "exceeded allowed storage",
            "allowed storage", "out of storage", "storage limit", "storage space", "storage allocation", "mailbox size limit",
            "mailbox limit", "mailbox has exceeded", "mailbox exceeds", "mailbox exceeded", "mailbox over", " is full ",
        ]),
        new(BounceClass.TooLarge,
        [
            "message size", "mail size", "email size", "size limit", "sizelimit", "too large", "too big", "maximum size", "max size",
            "maximum message", "maximum allowed size", "message too long", "message is too long", "message exceeds", "message exceeded",
            "message length", "larger than", "exceeds size", "exceeds the size", "exceeds maximum", "attachment size", " kb ", " mb ",
            " bytes ", "megabytes",
        ]),
        new(BounceClass.Blocked,
        [
            "sender address", "sender rejected", "sender denied", "sender refused", "sender domain", "senders domain", "sender verif",
            "verify sender", "invalid sender", "bad sender", "sender invalid", "sender not ", "sender is not", "sender was not",
            "sendernotauthenticated", "mail from domain", "mailfrom domain", "return path", "notauthorized", "not authorized",
            "not authorised", "authrequired", "authentication required", "client host", "helo ", "envelope blocked", "your ip ",
            "your server", "your host", "your network", "your domain",
        ]),
        new(BounceClass.InvalidRecipient, ["mailbox unavailable", "mailbox not available"], OnlyPermanent: true),
        new(BounceClass.InvalidRecipient,
        [
            "user unknown", "unknown user", "unknown recipient", "recipient unknown", "unknown address", "address unknown",
            "unknown mailbox", "mailbox unknown", "unknown account", "unknown local", "unknown or illegal", "no such", "does not exist",
            "doesnt exist", "not exist", "non existent", "nonexist", "not found", "notfound", "recipnotfound", "invalid recipient",
            "invalid mailbox", "invalid address", "invalid user", "recipient invalid", "bad destination", "bad recipient", "no mailbox",
            "no account", "no user", "no valid recipient", "not a valid", "isnt a valid", "no longer valid", "no longer exist",
            "no longer available", "no longer active", "no longer on", "no longer in use", "no longer with", "no longer used",
            "not a known", "not known", "not our customer", "not a user", "not have an account", "not have a mailbox", "doesnt have a",
            "does not have a", "account disabled", "account has been disabled", "account is disabled", "mailbox disabled",
            "mailbox is disabled", "user disabled", "user is disabled", "address is disabled", "is disabled", "deactivated", "inactive",
            "account not active", "mailbox not active", "user not active", "is not active", "account closed", "mailbox closed",
            "account has been closed", "mailbox has been closed", "address has been closed", "been deleted", "been removed",
            "been terminated", "account terminated", "suspended", "discontinued", "unrouteable", "unroutable", "undeliverable address",
            "recipient not ", "rejected access denied", "cuda nsu", "has moved", "null mx", "nullmx", "does not accept mail",
            "doesnt accept mail", "accepts no mail", "nxdomain", "unknown domain", "no longer receiv", "never logged",
        ]),
        new(BounceClass.Content,
        [
            "virus", "malware", "phish", "malicious", "infected", "attachment", "content", "unsolicited", "spam", " junk ", " bulk ",
            "malformed", "rfc 5322", "rfc 2822", "rfc5322", "rfc2822", "not rfc", "rfc compl", " header", "bare lf", "bare cr",
            "line too long", "lines too long", "line length", " url", "suspicious", "message signature", "security policies",
            "file type", "message structure", " mime", "non ascii", "smtputf8", "8bit",
        ]),
        new(BounceClass.Blocked,
        [
            "blocked", "blocking", "access denied", "permission denied", "denied", "policy", "policies", "prohibit", "not permitted",
            "not allowed", "forbidden", "restricted", "restriction", "disallow", "unacceptable", "not be accepted", "not accepted from",
            "refused", "whitelist", "allowlist", "allow list", "white list", "abuse", "complaint", "verification failed",
        ]),
        new(BounceClass.InvalidRecipient, ["address rejected", "addresses rejected", "recipient rejected"], OnlyPermanent: true),
        new(BounceClass.Unreachable,
        [
            "unavailable", "not available", "service not active", "unexpected failure", "temporary", "temporarily", "local error",
            "local problem", "internal error", "server error", "system error", "system failure", "system problem", "configuration",
            "misconfigur", "out of memory", "insufficient", "disk ", "maintenance", "overload", "load average", "shutting down",
            "not responding", "unreachable", "unable to route", "no route", "expired", "queue file", "not accepting",
        ]),
        new(BounceClass.MailboxFull, [" quota"]),
        new(BounceClass.Throttled, ["unverified address", "try again", "try later", "retry later", "please retry"], OnlyTemporary: true),
    ];
}

/// <summary>Phrases of one class.</summary>
/// <param name="OnlyTemporary">They count only in a reply that begins with 4.</param>
/// <param name="OnlyPermanent">They do not count in a reply that begins with 4.</param>
internal sealed record ReplyTextGroup(string Class, string[] Phrases, bool OnlyTemporary = false, bool OnlyPermanent = false)
{
    // Finds all of them in one pass.
    private readonly SearchValues<string> phrases = SearchValues.Create(Phrases, StringComparison.Ordinal);

    public bool IsIn(string words, bool isTemporary) =>
        (isTemporary ? !OnlyPermanent : !OnlyTemporary) && words.AsSpan().ContainsAny(phrases);
}
