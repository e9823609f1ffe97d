using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>What a page may load and run, whatever gets into it: this server's own files and web socket, nothing else.</summary>
internal static class ContentSecurity
{
    public static void Apply(IHeaderDictionary headers, IEnumerable<string> origins)
    {
        // Charts are laid out by style attributes. A style attribute cannot run anything, and has nowhere to send anything.
        var sockets = string.Join(' ', origins.Select(origin => origin.Replace("http:", "ws:", StringComparison.Ordinal)));
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; font-src 'self'; "
            + $"connect-src 'self' {sockets}; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }
}
