using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Azure.Core;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>The app in one of its hosts, as a client sees it.</summary>
/// <param name="Client">Talks to the host.</param>
/// <param name="Log">What was logged so far: level, event by number or name, text.</param>
/// <param name="Host">Ends with the test; null if other tests use it too.</param>
internal sealed record ContractHost(HttpClient Client, Func<IEnumerable<string>> Log, IAsyncDisposable? Host) : IAsyncDisposable
{
    public Uri Url => Client.BaseAddress!;

    public Task<HttpResponseMessage> PostAsync(string body, string? contentType = null) =>
        IngestApp.PostAsync(Client, Encoding.UTF8.GetBytes(body), contentType);

    public ValueTask DisposeAsync() => Host?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Every status of the HTTP contract, over a real socket. Each host of the app runs these cases.</summary>
public abstract class HttpContract
{
    private const string Secret = IngestApp.Password;
    private static readonly string OneMebibyteAndOne = "event=open&message=" + new string('x', (1024 * 1024) + 1 - 19);

    [Theory]
    [InlineData("GET", "webhook/smtp2go", 200)]
    [InlineData("HEAD", "webhook/smtp2go", 200)]
    [InlineData("GET", "webhook/smtp2go_anything", 200)]
    [InlineData("GET", "health", 200)]
    [InlineData("GET", "", 404)]
    [InlineData("GET", "robots.txt", 404)]
    [InlineData("POST", "webhook", 404)]
    [InlineData("POST", "webhook/other", 404)]
    [InlineData("POST", "webhook/smtp2go2", 404)]
    [InlineData("POST", "webhook/smtp2go/more", 404)]
    [InlineData("POST", "api/webhook/smtp2go", 404)]
    [InlineData("PUT", "webhook/smtp2go", 405)]
    [InlineData("DELETE", "webhook/smtp2go_" + Secret, 405)]
    [InlineData("POST", "webhook/smtp2go", 401)]
    [InlineData("POST", "webhook/smtp2go_", 401)]
    [InlineData("POST", "webhook/smtp2go_wrong-horse-battery", 401)]
    [InlineData("POST", "webhook/smtp2go?p=wrong-horse-battery", 401)]
    [InlineData("POST", "webhook/smtp2go?P=" + Secret, 200)]
    [InlineData("POST", "webhook/smtp2go?p=" + Secret, 200)]
    [InlineData("POST", "webhook/smtp2go_" + Secret, 200)]
    [InlineData("POST", "webhook/smtp2go_right%2Dhorse%2dbattery-staple", 200)]
    [InlineData("POST", "webhook/smtp2go_wrong?p=" + Secret, 200)]
    [InlineData("POST", "webhook/smtp2go_" + Secret + "/", 200)]
    public async Task A_request_gets_its_answer(string method, string path, int expected)
    {
        await using var app = await StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = method == "POST" ? new StringContent("event=open&email_id=e") : null;

        using var answer = await app.Client.SendAsync(request, Test.Token);

        Assert.Equal(expected, (int)answer.StatusCode);
        await AssertSaysWhatToMendAsync(answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \r\n ")]
    [InlineData("{\"event\":")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("event")]
    public async Task A_body_with_nothing_in_it_gets_400(string body)
    {
        await using var app = await StartAsync();

        using var answer = await app.PostAsync(body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        await AssertSaysWhatToMendAsync(answer);
    }

    [Theory]
    [InlineData("event=open", "application/json")]
    [InlineData("""{"event":"open"}""", "application/x-www-form-urlencoded")]
    [InlineData("""{"other":"thing"}""", null)]
    [InlineData("event=open", "text/html; charset=\"x\"")]
    public async Task The_content_type_decides_nothing(string body, string? contentType)
    {
        await using var app = await StartAsync();

        using var answer = await app.PostAsync(body, contentType);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("gzip", 415)]
    [InlineData("br", 415)]
    [InlineData("identity, gzip", 415)]
    [InlineData("Identity", 200)]
    public async Task A_compressed_body_gets_415_whatever_its_bytes_look_like(string encoding, int expected)
    {
        await using var app = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "webhook/smtp2go");
        request.Content = new StringContent("event=open&email_id=e");
        request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        request.Headers.Authorization = IngestApp.Basic(IngestApp.Username, Secret);

        using var answer = await app.Client.SendAsync(request, Test.Token);

        Assert.Equal(expected, (int)answer.StatusCode);
        var isTold = answer.Headers.TryGetValues("Accept-Encoding", out var accepted) && accepted.SequenceEqual(["identity"]);
        Assert.Equal(expected == 415, isTold);
        await AssertSaysWhatToMendAsync(answer);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, -1)]
    [InlineData(true, -1)]
    public async Task One_byte_over_the_limit_gets_413_and_the_limit_itself_200(bool chunked, int lessThan)
    {
        await using var app = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "webhook/smtp2go");
        request.Content = new StringContent(OneMebibyteAndOne[..(OneMebibyteAndOne.Length + lessThan)]);
        request.Headers.Authorization = IngestApp.Basic(IngestApp.Username, Secret);
        request.Headers.TransferEncodingChunked = chunked;

        using var answer = await app.Client.SendAsync(request, Test.Token);

        Assert.Equal(lessThan == 0 ? HttpStatusCode.RequestEntityTooLarge : HttpStatusCode.OK, answer.StatusCode);
        await AssertSaysWhatToMendAsync(answer);
    }

    [Fact]
    public async Task A_declared_length_over_the_limit_is_refused_before_the_secret_is_looked_at()
    {
        await using var app = await StartAsync();
        using var content = new StringContent(OneMebibyteAndOne);

        using var answer = await app.Client.PostAsync("webhook/smtp2go", content, Test.Token);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Headers_say_what_would_have_been_accepted()
    {
        await using var app = await StartAsync();
        using var put = await app.Client.PutAsync("webhook/smtp2go", null, Test.Token);
        using var post = await app.Client.PostAsync("webhook/smtp2go", null, Test.Token);

        Assert.Equal(["GET", "HEAD", "POST"], put.Content.Headers.Allow);
        Assert.Contains(post.Headers.WwwAuthenticate, challenge => challenge.Scheme == "Basic");
        Assert.Empty(post.Headers.Server);
    }

    [Fact]
    public async Task Get_tells_nothing_and_health_only_that_the_app_is_up()
    {
        await using var app = await StartAsync();

        Assert.Empty(await app.Client.GetStringAsync("webhook/smtp2go", Test.Token));
        Assert.Equal("Healthy", await app.Client.GetStringAsync("health", Test.Token));
    }

    [Theory]
    [InlineData("a/b+c d%e&f=g?h#i-jklmn")]
    [InlineData("smtp2go_smtp2go_smtp2go_")]
    [InlineData("\"quoted\" <{[~`|]}>%25\\^$")]
    public async Task A_secret_with_any_characters_may_be_sent_percent_encoded(string secret)
    {
        await using var app = await StartAsync(new() { ["Webhook:Password"] = secret });
        foreach (var before in new[] { "webhook/smtp2go_", "webhook/smtp2go?p=" })
        {
            using var content = new StringContent("event=open");
            using var answer = await app.Client.PostAsync(before + Uri.EscapeDataString(secret), content, Test.Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("/webhook/smtp2go_x/.")]
    [InlineData("/webhook/smtp2go_x/y/..")]
    [InlineData("/webhook/smtp2go_%")]
    [InlineData("/webhook/smtp2go_%ff%00")]
    [InlineData("http://other.example/webhook/smtp2go_x")]
    [InlineData("/webhook/smtp2go_x?p=%ff&p=&p")]
    public async Task An_odd_target_is_refused_like_any_other(string target)
    {
        await using var app = await StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(app.Url.Host, app.Url.Port, Test.Token);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b"), Test.Token);
        using var reader = new StreamReader(stream);

        var status = await reader.ReadLineAsync(Test.Token);

        Assert.Matches("^HTTP/1.1 (400|401|404) ", status);
    }

    [Fact]
    public async Task Storage_that_refuses_connections_gets_503()
    {
        await using var app = await StartAsync(new() { ["EventStorage"] = Storage("127.0.0.1:1") });

        using var answer = await app.PostAsync("event=open");

        await AssertComesAgainAsync(answer);
    }

    [Fact]
    public async Task Storage_that_never_answers_gets_503_within_the_enqueue_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var app = await StartAsync(new()
        {
            ["EventStorage"] = Storage($"{silent.LocalEndpoint}"),
            ["Webhook:EnqueueTimeout"] = "00:00:00.300",
        });

        foreach (var body in new[] { "event=open", $"event=open&message={new string('x', 100_000)}" })
        {
            using var answer = await app.PostAsync(body);
            await AssertComesAgainAsync(answer);
        }
    }

    [Fact]
    public async Task Anonymous_access_must_be_set_and_then_lets_anybody_in()
    {
        await using var app = await StartAsync(new() { ["Webhook:Password"] = null, ["Webhook:AllowAnonymous"] = "true" });
        using var content = new StringContent("event=open");

        using var answer = await app.Client.PostAsync("webhook/smtp2go", content, Test.Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.Get(
            () => Task.FromResult(string.Join('\n', app.Log())),
            log => log.Contains("Warning 1 Webhook__AllowAnonymous is true", StringComparison.Ordinal)
                || log.Contains("Warning Anonymous Webhook__AllowAnonymous is true", StringComparison.Ordinal));
    }

    /// <summary>Starts the app on its own storage account. Without settings, it may be one that is already running.</summary>
    private protected abstract Task<ContractHost> StartAsync(Dictionary<string, string?>? settings = null);

    /// <summary>True for an answer that the app did not give: no function has such a route.</summary>
    private protected virtual bool IsOfTheHost(HttpResponseMessage answer) => false;

    private protected async Task AssertComesAgainAsync(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        await AssertSaysWhatToMendAsync(answer);
    }

    private async Task AssertSaysWhatToMendAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(Test.Token);
        if (answer.IsSuccessStatusCode || IsOfTheHost(answer))
        {
            return;
        }

        Assert.Equal(new MediaTypeHeaderValue("application/problem+json"), answer.Content.Headers.ContentType);
        Assert.Contains("\"title\":\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", text, StringComparison.Ordinal);
        Assert.DoesNotContain("event=", text, StringComparison.Ordinal);
    }

    private static string Storage(string endpoint) =>
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
        + $"BlobEndpoint=http://{endpoint}/a;QueueEndpoint=http://{endpoint}/a;TableEndpoint=http://{endpoint}/a;";
}

/// <summary>The contract of the self-hosted app.</summary>
public sealed class HttpContractTests(AzuriteFixture azurite) : HttpContract
{
    // Only self-hosted: a Functions host reads the body first, to look for data to bind to.
    [Fact]
    public async Task The_body_is_not_read_until_the_caller_is_known()
    {
        await using var app = await StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(app.Url.Host, app.Url.Port, Test.Token);
        await using var stream = socket.GetStream();

        await stream.WriteAsync("POST /webhook/smtp2go HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"u8.ToArray(), Test.Token);
        using var reader = new StreamReader(stream);

        Assert.Equal(
            "HTTP/1.1 401 Unauthorized", await reader.ReadLineAsync(Test.Token).AsTask().WaitAsync(Test.Patience, Test.Token));
    }

    // Only self-hosted: a test cannot give a credential to a worker process.
    [Fact]
    public async Task An_identity_that_gets_no_token_leads_to_503()
    {
        await using var app = await StartAsync([], services =>
            services.AddSingleton(new QueueServiceClient(new Uri("https://queues.example/"), new NoToken())));

        using var answer = await app.PostAsync("event=open");

        await AssertComesAgainAsync(answer);
    }

    private protected override Task<ContractHost> StartAsync(Dictionary<string, string?>? settings = null) =>
        StartAsync(settings, static _ => { });

    private async Task<ContractHost> StartAsync(Dictionary<string, string?>? settings, Action<IServiceCollection> configure)
    {
        var log = new LogLines();
        var account = settings?.GetValueOrDefault("EventStorage") ?? azurite.NewAccount();
        var app = await IngestApp.StartAsync(
            account,
            settings,
            services =>
            {
                services.AddLogging(logging => logging.AddProvider(log));
                configure(services);
            },
            pump: false);
        return new(app.Client, () => log.Lines, app);
    }

    private sealed class NoToken : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("No token.");

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("No token.");
    }

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}
