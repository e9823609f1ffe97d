using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Receiving;

/// <summary>Why a request is not acknowledged, and what to do about it.</summary>
/// <param name="Reason">For counters and logs.</param>
/// <param name="Title">For the sender. Never contains a secret, the body or an address.</param>
internal sealed record Refusal(string Reason, int Status, string Title)
{
    public static readonly Refusal UnknownPath = new("path", 404, "Not found. Post webhooks to /webhook/smtp2go.");
    public static readonly Refusal Method = new("method", 405, "Method not allowed. Send webhooks by POST.");
    public static readonly Refusal TooLarge = new("too-large", 413, "The body is longer than Webhook__MaxBodyBytes.");
    public static readonly Refusal Encoding = new(
        "encoding", 415, "The body is compressed (Content-Encoding), so it cannot be checked. Send it uncompressed.");
    public static readonly Refusal Source = new(
        "source", 403, "The sender's address is not allowed (Webhook__AllowedSources, Webhook__TrustedProxies).");
    public static readonly Refusal SourceUndecided = new(
        "source-undecided", 503, "The names in Webhook__AllowedSources have not been resolved yet. Try again.");
    public static readonly Refusal NoSecret = new(
        "no-secret", 401, "No secret was sent in an accepted way (Webhook__Accept). Add it to the webhook's settings in SMTP2GO.");
    public static readonly Refusal WrongSecret = new(
        "wrong-secret",
        401,
        "The secret is wrong. Compare the webhook's settings in SMTP2GO with Webhook__Username and Webhook__Password.");
    public static readonly Refusal TooSlow = new("too-slow", 408, "The body arrived too slowly. Try again.");
    public static readonly Refusal Interrupted = new("interrupted", 400, "The body is incomplete. Try again.");
    public static readonly Refusal EmptyBody = new("empty", 400, "The body is empty. Send a form or a JSON object.");
    public static readonly Refusal MalformedJson = new("malformed-json", 400, "The body is malformed JSON.");
    public static readonly Refusal NotAnObject = new(
        "not-an-object", 400, "The body is JSON but not an object. Send one object per event.");
    public static readonly Refusal NoPairs = new("no-pairs", 400, "The body has no name=value pair. Send a form or a JSON object.");
    public static readonly Refusal NotDurable = new("not-durable", 503, "The webhook could not be stored in time. Try again.");

    public static Refusal Of(BodyProblem problem) => problem switch
    {
        BodyProblem.Empty => EmptyBody,
        BodyProblem.MalformedJson => MalformedJson,
        BodyProblem.NotAnObject => NotAnObject,
        _ => NoPairs,
    };
}
