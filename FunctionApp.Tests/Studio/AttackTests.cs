using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>Other users of the machine and other web pages reach Studio's port. They read nothing.</summary>
public sealed class AttackTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private const string Close = "Connection: close";

    private StudioSite site = null!;

    public static TheoryData<string> OtherHosts =>
    [
        "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil.example", "127.0.0.1.evil.example:{port}",
        "localhost", "localhost.:{port}", "evil.localhost:{port}", "[::1]:{port}", "127.1:{port}", "2130706433:{port}", "0.0.0.0:{port}",
        "user@127.0.0.1:{port}", "127.0.0.1:0{port}", string.Empty,
    ];

    public static TheoryData<string> OtherOrigins =>
    [
        "http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}.evil.example", "http://[::1]:{port}", "file://", "http://127.0.0.1:{port}, http://evil.example",
        string.Empty,
    ];

    public static TheoryData<string> OddPaths =>
    [
        "/", "/favicon.ico", "/health", "/assets/studio.js", "/_blazor", "/_framework/blazor.web.js", "/%2e%2e/",
        "//{base}/", "/./{base}/../",
        "/{base}x/", "/{BASE}/", "/{base}%2f", "/{base}%00/", "/x/../{base}%2f..%2f", "/{base}/../", "/%7bbase%7d/", "/..;/{base}/",
        "/\\{base}/",
    ];

    public async ValueTask InitializeAsync() => site = await StudioSite.StartAsync(azurite.NewAccount());

    public ValueTask DisposeAsync() => site.DisposeAsync();

    [Fact]
    public async Task A_link_lets_one_browser_in_once_and_its_token_does_not_stay_in_the_address()
    {
        var link = site.NewLink("activity?event=bounce&text=a%26b");

        using var answer = await StudioSite.GetAsync(link);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal($"{site.Base.AbsolutePath}activity?event=bounce&text=a%26b", answer.Headers.Location!.ToString());
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Matches(
            $"^smtp2go-ingest-studio=[0-9a-f]{{64}}; path={site.Base.AbsolutePath.TrimEnd('/')}; samesite=strict; httponly$", cookie);
        using var page = await StudioSite.GetAsync(new Uri(site.Base, "health"), cookie.Split(';')[0]);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("<h1", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await AssertRefusedAsync(link);
    }

    [Fact]
    public async Task Without_a_token_or_with_one_that_is_wrong_or_older_nobody_is_let_in()
    {
        var older = site.NewLink();
        var newest = site.NewLink();

        await AssertRefusedAsync(site.Base);
        await AssertRefusedAsync(new Uri(site.Base, "health"));
        await AssertRefusedAsync(new Uri(site.Base, "assets/studio.js"));
        await AssertRefusedAsync(new Uri(site.Base, "_blazor"));
        await AssertRefusedAsync(older);
        await AssertRefusedAsync(new Uri(site.Base, "?token="));
        await AssertRefusedAsync(new Uri(site.Base, "?token=0"));
        await AssertRefusedAsync(new Uri($"{newest}0"));
        await AssertRefusedAsync(new Uri($"{newest.ToString()[..^1]}"));
        await AssertRefusedAsync(new Uri($"{newest}&token=1"));
        await AssertRefusedAsync(new Uri(newest.ToString().ToUpperInvariant().Replace(
            site.Base.AbsolutePath.ToUpperInvariant(), site.Base.AbsolutePath, StringComparison.Ordinal)));

        // None of that has used it up.
        using var answer = await StudioSite.GetAsync(newest);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    [Fact]
    public async Task One_token_lets_one_in_however_many_show_it_at_once()
    {
        var link = site.NewLink();

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            using var answer = await StudioSite.GetAsync(link);
            return answer.StatusCode;
        }));

        Assert.Equal(1, answers.Count(status => status == HttpStatusCode.Redirect));
        Assert.Equal(39, answers.Count(status => status == HttpStatusCode.Unauthorized));
    }

    [Fact]
    public async Task The_cookie_of_another_run_is_worth_nothing()
    {
        await using var other = await StudioSite.StartAsync(azurite.NewAccount());
        var cookie = await other.LetInAsync();

        await AssertRefusedAsync(site.Base, cookie);
        await AssertRefusedAsync(site.Base, $"{cookie}0");
        await AssertRefusedAsync(site.Base, cookie.Split('=')[0] + "=");
        await AssertRefusedAsync(site.Base, (await site.LetInAsync()).Replace("smtp2go-ingest-studio", "other", StringComparison.Ordinal));
        using var elsewhere = await StudioSite.GetAsync(new Uri(site.Base, other.Base.AbsolutePath), await site.LetInAsync());
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }

    [Theory]
    [MemberData(nameof(OtherHosts))]
    public async Task Under_another_host_name_it_shows_nothing_even_to_who_was_let_in(string host)
    {
        var cookie = await site.LetInAsync();

        var answer = await GetAsync(site.Base.AbsolutePath, $"Host: {WithPort(host)}", $"Cookie: {cookie}");
        var absolute = await RawHttp.SendAsync(
            site.Base,
            $"GET http://{WithPort(host)}{site.Base.AbsolutePath} HTTP/1.1",
            $"Host: {WithPort(host)}",
            $"Cookie: {cookie}",
            Close);

        AssertShowsNothing(answer, 400, 403);
        AssertShowsNothing(absolute, 400, 403);
    }

    [Fact]
    public async Task A_request_that_names_no_host_or_two_is_refused()
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";

        AssertShowsNothing(await GetAsync(site.Base.AbsolutePath, cookie), 400);
        AssertShowsNothing(await GetAsync(site.Base.AbsolutePath, Host, "Host: evil.example", cookie), 400);
        AssertShowsNothing(await GetAsync(site.Base.AbsolutePath, "Host: evil.example", $"X-Forwarded-{Host}", cookie), 403);
        AssertShowsNothing(
            await RawHttp.SendAsync(site.Base, $"GET http://evil.example{site.Base.AbsolutePath} HTTP/1.1", Host, cookie, Close), 400);
        AssertShowsNothing(await RawHttp.SendAsync(site.Base, $"GET {site.Base.AbsolutePath} HTTP/1.0", cookie), 403);
        AssertShowsNothing(await RawHttp.SendAsync(site.Base, "PRI * HTTP/2.0", string.Empty, "SM"), 400, 0);
    }

    [Theory]
    [MemberData(nameof(OtherOrigins))]
    public async Task For_another_web_page_it_shows_nothing_and_opens_no_web_socket(string origin)
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";

        AssertShowsNothing(await GetAsync(site.Base.AbsolutePath, Host, cookie, $"Origin: {WithPort(origin)}"), 403);
        AssertShowsNothing(await OpenSocketAsync(cookie, $"Origin: {WithPort(origin)}"), 403);
        AssertShowsNothing(
            await OpenSocketAsync(cookie, WithPort("Origin: http://127.0.0.1:{port}"), $"Origin: {WithPort(origin)}"), 403);
    }

    [Theory]
    [InlineData("cross-site", "no-cors", "script")]
    [InlineData("same-site", "no-cors", "image")]
    [InlineData("same-site", "navigate", "iframe")]
    [InlineData("cross-site", "navigate", "object")]
    public async Task What_another_page_loads_as_its_own_part_is_refused(string from, string mode, string what)
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";

        AssertShowsNothing(
            await GetAsync(
                site.Base.AbsolutePath, Host, cookie, $"Sec-Fetch-Site: {from}", $"Sec-Fetch-Mode: {mode}", $"Sec-Fetch-Dest: {what}"),
            403);
    }

    [Fact]
    public async Task A_web_socket_opens_for_its_own_page_with_the_cookie_only()
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";
        var origin = WithPort("Origin: http://127.0.0.1:{port}");

        AssertShowsNothing(await OpenSocketAsync(cookie), 403);
        AssertShowsNothing(await OpenSocketAsync(origin), 401);
        AssertShowsNothing(await OpenSocketAsync(origin, "Cookie: smtp2go-ingest-studio=0"), 401);
        Assert.Equal(101, (await OpenSocketAsync(cookie, origin)).Status);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    [InlineData("GETX")]
    public async Task It_answers_no_method_that_could_change_anything(string method)
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";
        var origin = WithPort("Origin: http://127.0.0.1:{port}");

        string[] pages =
            ["", "activity", "_blazor", "_blazor/negotiate?negotiateVersion=1", "_blazor/disconnect", "assets/studio.js"];
        foreach (var page in pages)
        {
            var answer = await RawHttp.SendAsync(
                site.Base, $"{method} {site.Base.AbsolutePath}{page} HTTP/1.1", Host, cookie, origin, "Content-Length: 0", Close);
            AssertShowsNothing(answer, 405);
            Assert.Equal("GET, HEAD", answer["Allow"]);
        }

        AssertShowsNothing(
            await GetAsync(
                site.Base.AbsolutePath + "_blazor/negotiate?negotiateVersion=1", Host, cookie, "X-HTTP-Method-Override: POST"),
            400, 404, 405);
    }

    [Theory]
    [MemberData(nameof(OddPaths))]
    public async Task Outside_its_secret_path_there_is_nothing(string path)
    {
        var secret = site.Base.AbsolutePath.Trim('/');
        var odd = path.Replace("{base}", secret, StringComparison.Ordinal)
            .Replace("{BASE}", secret.ToUpperInvariant(), StringComparison.Ordinal);

        AssertShowsNothing(await GetAsync(odd, Host, $"Cookie: {await site.LetInAsync()}"), 400, 404);
    }

    [Theory]
    [InlineData("assets/..%2f..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("assets/%2e%2e/%2e%2e/appsettings.json")]
    [InlineData("assets/..\\..\\smtp2go-ingest.dll")]
    [InlineData("assets/studio.js%00.png")]
    [InlineData("assets//etc/passwd")]
    [InlineData("_framework/../smtp2go-ingest.runtimeconfig.json")]
    [InlineData("smtp2go-ingest.dll")]
    [InlineData("local.settings.json")]
    [InlineData("_content/Radzen.Blazor/../../local.settings.json")]
    [InlineData("%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd")]
    [InlineData("activity%0d%0aSet-Cookie:%20a=b")]
    public async Task No_path_leads_to_a_file(string path)
    {
        var answer = await GetAsync(site.Base.AbsolutePath + path, Host, $"Cookie: {await site.LetInAsync()}");

        Assert.Contains(answer.Status, (int[])[400, 404]);
        Assert.Null(answer["Set-Cookie"]);
        Assert.True(
            answer.Body.Length == 0
            || answer.Body.Contains(">Not found</h1>", StringComparison.Ordinal)
            || answer.Body.Contains("There is nothing here.", StringComparison.Ordinal),
            answer.Body);
    }

    [Fact]
    public async Task A_link_with_a_line_break_in_its_path_adds_no_header()
    {
        var token = site.NewLink().Query;

        var answer = await GetAsync($"{site.Base.AbsolutePath}a%0d%0aX-Evil:%20b{token}", Host);

        Assert.Null(answer["X-Evil"]);
        Assert.StartsWith(site.Base.AbsolutePath, answer["Location"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_are_too_large_are_refused()
    {
        var cookie = $"Cookie: {await site.LetInAsync()}";

        AssertShowsNothing(await GetAsync($"{site.Base.AbsolutePath}search?for={new string('a', 20_000)}", Host, cookie), 414);
        AssertShowsNothing(await GetAsync(site.Base.AbsolutePath, Host, cookie, $"X-Long: {new string('a', 40_000)}"), 431);
        AssertShowsNothing(
            await GetAsync(site.Base.AbsolutePath, [Host, cookie, .. Enumerable.Range(0, 200).Select(i => $"X-{i}: a")]), 431);
    }

    [Fact]
    public async Task Every_answer_says_what_a_browser_may_do_with_it()
    {
        var cookie = await site.LetInAsync();
        var policy = WithPort(
            "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; font-src 'self'; "
            + "connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; form-action 'self'; base-uri 'self'; "
            + "frame-ancestors 'none'");
        (string Target, string? Cookie)[] requests =
        [
            (site.Base.AbsolutePath, cookie), (site.Base.AbsolutePath, null), ("/", cookie), (site.NewLink().PathAndQuery, null),
            ($"{site.Base.AbsolutePath}nothing", cookie), ($"{site.Base.AbsolutePath}assets/studio.js", cookie),
        ];

        foreach (var (target, shown) in requests)
        {
            var answer = await GetAsync(target, shown is null ? [Host] : [Host, $"Cookie: {shown}"]);
            Assert.Equal(policy, answer["Content-Security-Policy"]);
            Assert.Equal("nosniff", answer["X-Content-Type-Options"]);
            Assert.Equal("no-referrer", answer["Referrer-Policy"]);
            Assert.Equal("same-origin", answer["Cross-Origin-Opener-Policy"]);
            Assert.Equal("same-origin", answer["Cross-Origin-Resource-Policy"]);
            var isFile = target.Contains("assets", StringComparison.Ordinal);
            Assert.Contains(isFile ? "private, max-age=" : "no-store", answer["Cache-Control"], StringComparison.Ordinal);
            Assert.Null(answer["Server"]);
            Assert.Null(answer["Access-Control-Allow-Origin"]);
        }
    }

    [Fact]
    public async Task It_listens_on_the_loopback_address_only()
    {
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(it => it.Port == site.Base.Port);
        Assert.Equal([IPAddress.Loopback], listening.Select(it => it.Address));

        var others = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(it => it.Address)
            .Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal);
        foreach (var address in others)
        {
            using var client = new TcpClient(address.AddressFamily);
            await Assert.ThrowsAnyAsync<SocketException>(() => client.ConnectAsync(address, site.Base.Port, Test.Token).AsTask());
        }
    }

    [Fact]
    public async Task Another_user_of_this_machine_reads_nothing_whatever_he_got_hold_of()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Only root can run a process as another user.");
        var cookie = $"Cookie: {await site.LetInAsync()}";
        var link = site.NewLink();

        var page = await CurlAsync("-H", cookie, site.Base.ToString());
        var token = await CurlAsync("-H", cookie, link.ToString());
        var anybody = await CurlAsync(site.Base.ToString());

        // The connection is closed before anything is read.
        Assert.Equal(["000", "000", "000"], [page, token, anybody]);
        Assert.Equal("200", await RunCurlAsync(asAnother: false, "--output", "/dev/null", "-H", cookie, site.Base.ToString()));
        using var mine = await StudioSite.GetAsync(link);
        Assert.Equal(HttpStatusCode.Redirect, mine.StatusCode);

        static Task<string> CurlAsync(params string[] arguments) => RunCurlAsync(asAnother: true, arguments);
    }

    private static async Task<string> RunCurlAsync(bool asAnother, params string[] arguments)
    {
        string[] command = ["curl", "--silent", "--write-out", "%{http_code}", .. arguments];
        string[] other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", .. command];
        var start = asAnother ? other : command;
        using var curl = Process.Start(
            new ProcessStartInfo(start[0], start[1..]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var said = await curl.StandardOutput.ReadToEndAsync(Test.Token);
        await curl.WaitForExitAsync(Test.Token);
        return said;
    }

    private string Host => WithPort("Host: 127.0.0.1:{port}");

    private string WithPort(string text) =>
        text.Replace("{port}", site.Base.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private Task<RawHttp> GetAsync(string target, params string[] headers) =>
        RawHttp.SendAsync(site.Base, [$"GET {target} HTTP/1.1", .. headers, Close]);

    private Task<RawHttp> OpenSocketAsync(params string[] headers) => RawHttp.SendAsync(
        site.Base,
        [
            $"GET {site.Base.AbsolutePath}_blazor HTTP/1.1", Host, "Connection: Upgrade, close", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", .. headers,
        ]);

    private static void AssertShowsNothing(RawHttp answer, params int[] statuses)
    {
        Assert.Contains(answer.Status, statuses);
        Assert.DoesNotContain("<script", answer.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Null(answer["Set-Cookie"]);
    }

    private static async Task AssertRefusedAsync(Uri uri, string? cookie = null)
    {
        using var answer = await StudioSite.GetAsync(uri, cookie);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.Contains("press Enter for a new link", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
