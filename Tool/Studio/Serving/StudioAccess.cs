using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>
/// Who may read: a browser that came with a link from <see cref="NewLink"/> once, and shows its cookie since. Other users of this machine
/// can reach the port too, and so can every web page that is open in the browser.
/// </summary>
internal sealed class StudioAccess
{
    public const string TokenName = "token";

    private const string CookieName = "smtp2go-ingest-studio";
    private const int SecretBytes = 32;

    // Cookies ignore ports. Under a path that nobody can guess, no other server on this machine is sent ours.
    private const int PathBytes = 10;

    private readonly string cookie = NewSecret(SecretBytes);
    private readonly Lock links = new();
    private string? token;
    private string[] hosts = [];
    private string[] origins = [];

    public PathString PathBase { get; } = $"/{NewSecret(PathBytes)}";

    public void ListensAt(Uri address)
    {
        // Without the port if it is the usual one, as browsers send it.
        var port = address.IsDefaultPort ? string.Empty : $":{address.Port}";
        hosts = [$"127.0.0.1{port}", $"localhost{port}"];
        origins = [.. hosts.Select(host => $"http://{host}")];
    }

    public Uri NewLink(string page)
    {
        lock (links)
        {
            token = NewSecret(SecretBytes);
            var separator = page.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            return new Uri($"{origins[0]}{PathBase}/{page}{separator}{TokenName}={token}");
        }
    }

    public async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var (request, response) = (context.Request, context.Response);
        ContentSecurity.Apply(response.Headers, origins);
        if (Refuse(request) is var (status, reason))
        {
            if (status == StatusCodes.Status405MethodNotAllowed)
            {
                response.Headers.Allow = $"{HttpMethods.Get}, {HttpMethods.Head}";
            }

            await AnswerAsync(response, status, reason);
        }
        else if (request.Query[TokenName] is [{ } shown])
        {
            // Also for a browser that was let in before: a link works once.
            var isRedeemed = HttpMethods.IsGet(request.Method) && Redeem(shown);
            if (!isRedeemed && !HasCookie(request))
            {
                await AnswerAsync(response, StatusCodes.Status401Unauthorized, "This link was already used, or a newer one replaced it.");
                return;
            }

            response.Cookies.Append(CookieName, cookie, new CookieOptions
            {
                Path = PathBase,
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
            });

            // Not to the same URL: the token would stay in the history.
            var others = request.Query
                .Where(it => it.Key != TokenName)
                .SelectMany(it => it.Value, (it, value) => KeyValuePair.Create(it.Key, value));
            response.Redirect(request.Path + QueryString.Create(others).ToUriComponent());
        }
        else if (!HasCookie(request))
        {
            await AnswerAsync(response, StatusCodes.Status401Unauthorized, "This browser does not have access yet.");
        }
        else
        {
            await next(context);
        }
    }

    // Judged by headers alone. A page of another site can send the cookie along, but not a wrong Origin.
    private (int Status, string Reason)? Refuse(HttpRequest request)
    {
        if (!hosts.Contains(request.Host.Value, StringComparer.OrdinalIgnoreCase))
        {
            return (StatusCodes.Status403Forbidden, "Studio does not answer to this host name.");
        }

        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            return (StatusCodes.Status405MethodNotAllowed, "Studio is read-only.");
        }

        // A browser names the page that opens a web socket, and the site of a page that fetches something from another one.
        var asks = request.Headers.ContainsKey(HeaderNames.Origin) || request.Headers.ContainsKey(HeaderNames.Upgrade);
        if (IsPartOfAnotherPage(request.Headers)
            || (asks && (request.Headers.Origin is not [{ } origin] || !origins.Contains(origin, StringComparer.Ordinal))))
        {
            return (StatusCodes.Status403Forbidden, "This request came from another web page.");
        }

        return request.Path.StartsWithSegments(PathBase, StringComparison.Ordinal, out _)
            ? null
            : (StatusCodes.Status404NotFound, "There is nothing here. Use the link that the terminal shows.");
    }

    // A script, picture or frame: the other page could learn from whether and how it loads. A link to a page is fine.
    private static bool IsPartOfAnotherPage(IHeaderDictionary headers) =>
        headers["Sec-Fetch-Site"].ToString() is not ("" or "none" or "same-origin")
        && (headers["Sec-Fetch-Mode"] != "navigate" || headers["Sec-Fetch-Dest"] != "document");

    private bool HasCookie(HttpRequest request) => request.Cookies[CookieName] is { } shown && IsSame(shown, cookie);

    private bool Redeem(string shown)
    {
        lock (links)
        {
            if (token is null || !IsSame(shown, token))
            {
                return false;
            }

            token = null;
            return true;
        }
    }

    private static bool IsSame(string shown, string secret) =>
        CryptographicOperations.FixedTimeEquals(Hash(shown), Hash(secret));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static async Task AnswerAsync(HttpResponse response, int status, string reason)
    {
        response.StatusCode = status;
        response.ContentType = $"{MediaTypeNames.Text.Plain}; charset=utf-8";
        await response.WriteAsync(
            $"{reason}\nIn the terminal where `smtp2go-ingest studio` runs, press Enter for a new link, or start it again.\n",
            response.HttpContext.RequestAborted);
    }

    private static string NewSecret(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));
}
