namespace Smtp2GoIngest.Receiving;

/// <summary>Why a request is not acknowledged: what is counted, what is answered, and what would mend it.</summary>
/// <param name="Reason">For counters and logs.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">For the sender: never a secret, the body or an address.</param>
internal sealed record Refusal(string Reason, int Status, string Title)
{
    public static readonly Refusal UnknownPath = new("path", 404, "Nothing is here. Webhooks are received at /webhook/smtp2go.");
    public static readonly Refusal Method = new("method", 405, "Webhooks are received by POST.");
    public static readonly Refusal TooLarge = new("too-large", 413, "The body is longer than Webhook__MaxBodyBytes allows.");
    public static readonly Refusal Source = new(
        "source", 403, "The address that this came from is not on the list (Webhook__AllowedSources, Webhook__TrustedProxies).");
    public static readonly Refusal SourceUndecided = new(
        "source-undecided", 503, "The names in Webhook__AllowedSources are not resolved yet. Send it again.");
    public static readonly Refusal NoSecret = new(
        "no-secret", 401, "No secret came in a way that is accepted (Webhook__Accept). Put it into the webhook's settings in SMTP2GO.");
    public static readonly Refusal WrongSecret = new(
        "wrong-secret",
        401,
        "The secret is wrong. Compare the webhook's settings in SMTP2GO with Webhook__Username and Webhook__Password.");
    public static readonly Refusal TooSlow = new("too-slow", 408, "The body came too slowly. Send it again.");
    public static readonly Refusal Interrupted = new("interrupted", 400, "The body ended before it was whole. Send it again.");
    public static readonly Refusal EmptyBody = new("empty", 400, "The body is empty. Send a form or a JSON object.");
    public static readonly Refusal MalformedJson = new("malformed-json", 400, "The body begins as JSON and is not sound JSON.");
    public static readonly Refusal NotAnObject = new(
        "not-an-object", 400, "The body is JSON but no object. Send one object for one event.");
    public static readonly Refusal NoPairs = new("no-pairs", 400, "The body holds no name=value. Send a form or a JSON object.");
    public static readonly Refusal NotDurable = new("not-durable", 503, "The webhook could not be made durable in time. Send it again.");
}
