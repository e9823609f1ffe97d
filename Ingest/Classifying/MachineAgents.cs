using System.Buffers;

namespace Smtp2GoIngest.Classifying;

/// <summary>The user agents of machines that open emails and follow links. The first match counts.</summary>
internal static class MachineAgents
{
    public const string Version = "1";
    public const string Date = "2026-11-26";
    public const string Source = "user agents as their operators document them, and as senders have published them from their logs";

    /// <summary>No browser's user agent ends here. Apple Mail Privacy Protection's does, and so do those of some link scanners.</summary>
    public const string Bare = "Mozilla/5.0";
    public const string BareOpen = "apple-mail-privacy";
    public const string BareClick = "bare-user-agent";

    // Left out because people use them too: Outlook (ms-office), okhttp, CFNetwork, Dalvik, Thunderbird, and proxies that add their name
    // to a browser's.
    public static readonly MachineAgent[] Table =
    [
        new("gmail-image-proxy", Anywhere: ["GoogleImageProxy", "ggpht.com"]),
        new("yahoo-image-proxy", Anywhere: ["YahooMailProxy"]),
        new("barracuda-scanner", Anywhere: ["Barracuda"]),
        new("mimecast-scanner", Anywhere: ["Mimecast"]),
        new("proofpoint-scanner", Anywhere: ["Proofpoint"]),
        new("microsoft-link-check", Anywhere:
        [
            "Existence Discovery", "BingPreview", "SkypeUriPreview", "MicrosoftPreview", "SafeLinks", "Safe Links",
            "Microsoft Office Protocol Discovery", "Microsoft-WebDAV-MiniRedir",
        ]),
        new("security-scanner", Anywhere:
        [
            "CiscoSecureEmail", "IronPort", "TrendMicro", "Trend Micro", "Symantec", "MessageLabs", "FortiGuard", "FortiMail", "Forcepoint",
            "Hornetsecurity", "Cloudmark", "Vade Secure", "VadeSecure", "Sophos", "FireEye", "Avanan", "urlscan", "VirusTotal", "PhishTank",
        ]),
        new("link-preview",
            Prefixes: ["WhatsApp/", "Viber/", "Iframely", "Embedly"],
            Anywhere:
            [
                "Slackbot", "Slack-ImgProxy", "facebookexternalhit", "facebookexternalua", "Twitterbot", "LinkedInBot", "TelegramBot",
                "Discordbot", "Snap URL Preview", "Google-PageRenderer", "redditbot", "Pinterestbot",
            ]),
        new("headless-browser", Anywhere: ["HeadlessChrome", "PhantomJS", "Puppeteer", "Playwright", "Selenium", "SlimerJS", "Cypress/"]),
        new("script",
            Prefixes:
            [
                "curl/", "Wget/", "python-requests/", "Python-urllib/", "Python/", "aiohttp/", "python-httpx/", "Go-http-client/",
                "Java/", "Java-http-client/", "Apache-HttpClient/", "Jakarta Commons-HttpClient/", "AHC/", "axios/", "node-fetch/",
                "undici", "got (", "libwww-perl/", "lwp-", "Ruby", "Faraday", "GuzzleHttp/", "PHP/", "PostmanRuntime/", "Scrapy/",
                "Jetty/", "lua-resty-http/", "HTTPie/", "Mojolicious", "reqwest/", "RestSharp/", "HubSpot Connect",
            ],
            Anywhere: ["WindowsPowerShell/", "PowerShell/"]),

        // Bots say where to read about them; browsers do not.
        new("bot", Anywhere: ["+http", "Googlebot", "bingbot", "Applebot", "YandexBot", "Baiduspider", "crawler"]),
    ];
}

/// <summary>A machine, and texts that its user agent begins with or contains, in any case.</summary>
internal sealed record MachineAgent(string Reason, string[]? Prefixes = null, string[]? Anywhere = null)
{
    private readonly SearchValues<string> anywhere = SearchValues.Create(Anywhere ?? [], StringComparison.OrdinalIgnoreCase);

    public bool Is(ReadOnlySpan<char> agent)
    {
        foreach (var prefix in Prefixes ?? [])
        {
            if (agent.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return agent.ContainsAny(anywhere);
    }
}
