using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>A URL that somebody copied from Studio, perhaps on another machine.</summary>
internal static class SharedLink
{
    /// <summary>The page that it leads to, relative to the base of the pages. A relative page is returned as it is.</summary>
    public static string PageIn(string? url)
    {
        // Browsers show a URL without its scheme, and the link that skips the navigation leaves a fragment.
        var page = url?.Trim().Split('#')[0] ?? string.Empty;
        if (page.StartsWith("127.0.0.1:", StringComparison.Ordinal) || page.StartsWith("localhost:", StringComparison.Ordinal))
        {
            page = $"{Uri.UriSchemeHttp}{Uri.SchemeDelimiter}{page}";
        }

        if (Uri.TryCreate(page, UriKind.Absolute, out var whole)
            && (whole.Scheme == Uri.UriSchemeHttp || whole.Scheme == Uri.UriSchemeHttps))
        {
            // The first folder is a new secret at each start.
            var path = whole.AbsolutePath.TrimStart('/');
            page = path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..] + whole.Query;
        }

        var parts = page.Split('?', 2);
        var query = QueryHelpers.ParseQuery(parts.ElementAtOrDefault(1))
            .Where(it => it.Key != StudioAccess.TokenName)
            .SelectMany(it => it.Value, (it, value) => KeyValuePair.Create(it.Key, value));
        return Uri.EscapeDataString(parts[0].TrimStart('/')) + QueryString.Create(query).ToUriComponent();
    }
}
