using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Where a webhook of an account at SMTP2GO leads, without what may be a secret in it.</summary>
/// <param name="Place">Host, port and path: only of the same app are they equal.</param>
internal sealed record WebhookUrl(Uri Url, string Host, string Place, bool HasSecret)
{
    private const string Path = "/webhook/smtp2go";

    /// <summary>What may be shown.</summary>
    public string Shown => $"{Url.Scheme}://{Host}{Path}";

    public bool IsEncrypted => Url.Scheme == "https";

    /// <returns>Null if it is not the URL of an app like this one.</returns>
    public static WebhookUrl? Of(string? text)
    {
        if (TryParse(text) is not { } url)
        {
            return null;
        }

        var path = url.AbsolutePath.TrimEnd('/');
        var at = path.LastIndexOf('/');
        var (folder, name) = (path[..Math.Max(0, at)], path[(at + 1)..]);
        var end = Path.LastIndexOf('/');
        var isOurs = folder.EndsWith(Path[..end], StringComparison.Ordinal)
            && (name == Path[(end + 1)..] || name.StartsWith($"{Path[(end + 1)..]}_", StringComparison.Ordinal));
        return isOurs ? new WebhookUrl(url, url.Authority, $"{url.Authority}{folder}", HasSecretIn(url, name)) : null;
    }

    /// <summary>Only the host, of any URL.</summary>
    public static string HostOf(Smtp2GoWebhook webhook) =>
        TryParse(webhook.Url)?.Authority ?? "(no valid URL)";

    // An @ after the first slash may end a password that was not percent-encoded. Then nobody can say what the host is.
    private static Uri? TryParse(string? text) =>
        Uri.TryCreate(text?.Trim(), UriKind.Absolute, out var url) && url.Scheme is ("https" or "http")
        && !(url.PathAndQuery + url.Fragment).Contains('@', StringComparison.Ordinal)
            ? url
            : null;

    // As the app accepts them: user:password before the host, ?p=, or at the end of the path.
    private static bool HasSecretIn(Uri url, string name) =>
        url.UserInfo.Split(':', 2) is [_, { Length: > 0 }]
        || url.Query.TrimStart('?').Split('&').Any(field => field.StartsWith("p=", StringComparison.Ordinal) && field.Length > 2)
        || name.Split('_', 2) is [_, { Length: > 0 }];
}
