namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>A webhook as an account has it set up.</summary>
/// <param name="Url">
/// With all that SMTP2GO takes from it: <c>user:password@</c> becomes Basic authentication; a secret may also be in the query or the path.
/// </param>
public sealed record Smtp2GoWebhook(Uri Url)
{
    /// <summary>Given by the account.</summary>
    public int Id { get; init; }

    /// <summary>The names of events that are sent. Unknown ones are dropped without an error, as they are said to be.</summary>
    public IReadOnlyList<string> Events
    {
        get;
        init => field = [.. value.Where(EventNames.Webhook.Contains)];
    } = EventNames.Webhook;

    /// <summary>Only the events of these SMTP users and API keys are sent; all if empty.</summary>
    public IReadOnlyList<string> Usernames { get; init; } = [];

    /// <summary>Headers of the email that its webhooks repeat.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary><c>form</c> or <c>json</c>.</summary>
    public string OutputFormat { get; init; } = "form";

    /// <summary>Empty, <c>basic</c> or <c>bearer</c>.</summary>
    public string AuthHeaderType { get; init; } = string.Empty;

    /// <summary>The base64 of <c>user:password</c>, or the token.</summary>
    public string AuthHeaderValue { get; init; } = string.Empty;

    public bool Wants(Smtp2GoEvent it) =>
        Events.Contains(EventNames.OfWebhook(it.Kind)) && (Usernames.Count == 0 || Usernames.Contains(it.Email.Username));
}
