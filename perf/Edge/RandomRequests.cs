using System.Net;
using System.Text;
using CsCheck;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>
/// Random requests, with correct secrets, nearly correct ones and ones in wrong places: none without a correct one reaches the queue, and
/// none gets a 5xx.
/// </summary>
internal static class RandomRequests
{
    private const string Password = Subject.Password;

    private sealed record Attempt(HttpMethod Method, string Path, string? Authorization, byte[]? Body, bool Chunked, string? Extra)
    {
        /// <summary>Worked out from how the attempt was made, not by the app's own code.</summary>
        public bool HasSecret { get; init; }

        public override string ToString() => $"{Method} {Path} {Authorization} {Body?.Length} {Chunked} {Extra}";
    }

    private static readonly Gen<string> AlmostSecret = Gen.OneOf(
        Gen.OneOf(
            string.Empty,
            " ",
            Password[..^1],
            Password + "x",
            Password + "\u00a0",
            Password.ToUpperInvariant(),
            $"{Subject.Username}:{Password}",
            Password[1..],
            new string('a', 3000)),
        Gen.Char['!', '~'].Array[0, 40].Select(c => new string(c)),
        Gen.Char.Array[0, 20].Select(c => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(c))));

    private static readonly Gen<(string? Header, bool Right)> Authorization = Gen.Frequency(
        (6, Gen.Const((string?)null).Select(h => (h, false))),
        (
            1,
            Gen.Bool.Select(bearer =>
                ((string?)(bearer ? $"Bearer {Password}" : $"Basic {Base64($"{Subject.Username}:{Password}")}"), true))),
        (
            3, Gen.Select(Gen.OneOf("Basic ", "basic ", "Bearer ", "Digest ", "Basic", string.Empty), AlmostSecret, Gen.Bool)
                .Select(
                    (scheme, secret, encode) =>
                        (
                            (string?)(scheme + (encode ? Base64(secret) : secret)), encode
                                && secret == $"{Subject.Username}:{Password}"
                                && scheme.Equals("Basic ", StringComparison.OrdinalIgnoreCase)))),
        (
            1,
            Gen.OneOf(
                    $"Basic {Password}",
                    Password,
                    $"Basic {Base64(Password)}",
                    $"Bearer {Subject.Username}:{Password}",
                    $"Digest {Password}",
                    $"Basic {Base64($"Smtp2Go:{Password}")}")
                .Select(header => ((string?)header, false))));

    private static readonly Gen<(string Query, bool Right)> Query = Gen.Frequency(
        (8, Gen.Const((string.Empty, false))),
        (1, Gen.OneOf($"?p={Password}", $"?a=b&P={Password}", $"?p=x&p={Uri.EscapeDataString(Password)}").Select(q => (q, true))),
        (2, AlmostSecret.Select(secret => ($"?p={Uri.EscapeDataString(secret)}", false))),
        (
            1, Gen.OneOf($"?password={Password}", $"?{Password}", $"?pp={Password}&p", "?p=%ff%zz&p[]=1", $"?p%00={Password}")
                .Select(q => (q, false))));

    private static readonly Gen<(string Path, bool Known, bool Right)> Path = Gen.Frequency(
        (6, Gen.Const(("webhook/smtp2go", true, false))),
        (1, Gen.OneOf($"webhook/smtp2go_{Password}", $"WEBHOOK/smtp2go_{Uri.EscapeDataString(Password)}").Select(p => (p, true, true))),
        (2, AlmostSecret.Select(secret => ($"webhook/smtp2go_{Uri.EscapeDataString(secret)}", true, false))),
        (
            2,
            Gen.OneOf(
                    $"webhook/{Password}",
                    $"webhook/smtp2go/{Password}",
                    "webhook/",
                    "health",
                    string.Empty,
                    "..%2fwebhook",
                    $"smtp2go_{Password}",
                    "webhook/smtp2go%00",
                    "webhook/SMTP2GO_x",
                    "admin/functions")
                .Select(p => (p, false, false))));

    private static readonly Gen<byte[]?> Body = Gen.OneOf<byte[]?>(
        Gen.Const((byte[]?)null),
        Gen.OneOf("event=open&email_id=e", "{\"event\":\"open\"}", "{\"event\":", "[]", "=", "{}", " ")
            .Select(text => (byte[]?)Encoding.UTF8.GetBytes(text)),
        Gen.Byte.Array[0, 300].Select(bytes => (byte[]?)bytes));

    private static readonly Gen<Attempt> Attempts = Gen.Select(
            Gen.Frequency((8, "POST"), (1, "GET"), (1, "HEAD"), (1, "PUT"), (1, "OPTIONS"), (1, "DELETE")),
            Path,
            Query,
            Authorization,
            Body,
            Gen.Bool,
            Gen.OneOf(null, "x", "203.0.113.9, 192.0.2.1"))
        .Select(
            (method, path, query, authorization, body, chunked, extra) =>
                new Attempt(
                    new HttpMethod(method),
                    path.Path + query.Query,
                    authorization.Header,
                    method is "GET" or "HEAD" ? null : body,
                    chunked,
                    extra)
                {
                    HasSecret = path.Known && (path.Right || query.Right || authorization.Right),
                });

    /// <param name="app">The app, with an empty queue and healthy storage.</param>
    public static async Task<Finding> RunAsync(EdgeApp app, int requests, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = app.Url };
        var (withSecret, acknowledged, sent) = (0, 0, 0);
        string? broken = null;
        try
        {
            await Attempts.SampleAsync(
                async attempt =>
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var status = await SendAsync(client, attempt, cancellationToken);
                    Interlocked.Increment(ref sent);
                    var isAcknowledged =
                        status == HttpStatusCode.OK
                        && attempt.Method == HttpMethod.Post
                        && attempt.Path != "health"
                        && !attempt.Path.StartsWith("health?", StringComparison.Ordinal);
                    Interlocked.Add(ref withSecret, attempt.HasSecret ? 1 : 0);
                    Interlocked.Add(ref acknowledged, isAcknowledged ? 1 : 0);
                    return (int)status < 500 && (!isAcknowledged || attempt.HasSecret);
                },
                iter: requests,
                threads: 32);
        }
        catch (CsCheckException e)
        {
            broken = e.Message;
        }

        var queued = await app.TakeQueuedAsync(cancellationToken);
        return new Finding(
            "random requests",
            broken
                ?? $"{sent:N0} sent, {withSecret:N0} with a correct secret, {acknowledged:N0} acknowledged, {queued:N0} in the queue, "
                    + "no 5xx",
            broken is null && queued == acknowledged && acknowledged > 0);
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient client, Attempt attempt, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(attempt.Method, new Uri(attempt.Path, UriKind.Relative));
        request.Content = attempt.Body is null ? null : new ByteArrayContent(attempt.Body);
        request.Headers.TransferEncodingChunked = attempt.Chunked && request.Content is not null;
        if (attempt.Authorization?.All(c => c is >= ' ' and <= '~') == true)
        {
            request.Headers.TryAddWithoutValidation("Authorization", attempt.Authorization);
        }

        if (attempt.Extra is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", attempt.Extra);
            request.Headers.TryAddWithoutValidation("Content-Type", attempt.Extra);
        }

        using var answer = await client.SendAsync(request, cancellationToken);
        return answer.StatusCode;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
