using System.Diagnostics;
using System.Text;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>What a number of clients saw, each sending one webhook after another over its own connection.</summary>
/// <param name="Acknowledged">The ids of the events that got 200.</param>
/// <param name="Failed">How many got another answer.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="Milliseconds">The time of each 200 answer, sorted.</param>
internal sealed record Seen(IReadOnlyList<string> Acknowledged, int Failed, TimeSpan Elapsed, IReadOnlyList<double> Milliseconds)
{
    public double PerSecond => Acknowledged.Count / Elapsed.TotalSeconds;

    public double At(double quantile) =>
        Milliseconds.Count == 0 ? double.NaN : Milliseconds[Math.Min(Milliseconds.Count - 1, (int)(Milliseconds.Count * quantile))];
}

internal static class Clients
{
    // An email has at least four events, and its own recipient.
    private const int Emails = 5000;

    // One of each event as a form and as JSON; every webhook gets its own id.
    private static readonly (string Body, string Type)[] Mix =
    [
        .. SampleWebhook.OneOfEach("EMAILID-EMAILID", DateTimeOffset.UtcNow)
            .Where(w => w.Fields.Any(f => f.Key == "email_id"))
            .Select(WithMarks)
            .SelectMany(w => new[] { (w.ToForm(), "application/x-www-form-urlencoded"), (w.ToJson(), "application/json") }),
    ];

    private static int next;

    /// <summary>Posts for a given time, or up to a given number.</summary>
    public static async Task<Seen> RunAsync(
        Uri url, int connections, TimeSpan duration, CancellationToken cancellationToken, int most = int.MaxValue)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = connections };
        using var client = new HttpClient(handler) { BaseAddress = url, Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = Subject.Credentials;
        var left = most;
        var start = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            var times = new List<double>();
            var acknowledged = new List<string>();
            var failed = 0;
            while (Stopwatch.GetElapsedTime(start) < duration && Interlocked.Decrement(ref left) >= 0)
            {
                var n = Interlocked.Increment(ref next);
                var (body, type) = Mix[n % Mix.Length];
                var id = $"{n:x32}";
                using var content = new StringContent(
                    body.Replace("EVENTID", id, StringComparison.Ordinal)
                        .Replace("EMAILID-EMAILID", $"1w{n % Emails:x5}-AbCdEfGhIjK-Lm", StringComparison.Ordinal)
                        .Replace("RECIPIENT", $"{n % Emails:x5}", StringComparison.Ordinal),
                    Encoding.UTF8,
                    type);
                var sent = Stopwatch.GetTimestamp();
                using var answer = await client.PostAsync(new Uri("webhook/smtp2go", UriKind.Relative), content, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                    acknowledged.Add(id);
                }
                else
                {
                    failed++;
                }
            }

            return (Times: times, Acknowledged: acknowledged, Failed: failed);
        }));
        var sorted = all.SelectMany(a => a.Times).Order().ToList();
        return new Seen([.. all.SelectMany(a => a.Acknowledged)], all.Sum(a => a.Failed), Stopwatch.GetElapsedTime(start), sorted);
    }

    private static SampleWebhook WithMarks(SampleWebhook webhook) =>
        new([.. webhook.Fields.Select(field => KeyValuePair.Create(field.Key, (field.Key, field.Value) switch
        {
            ("id", _) => "EVENTID",
            ("rcpt" or "message", string text) => OfOneEmail(text),
            ("recipients", IEnumerable<string> all) => all.Select(OfOneEmail).ToArray(),
            _ => field.Value,
        }))]);

    private static string OfOneEmail(string address) => address.Replace("@", "-RECIPIENT@", StringComparison.Ordinal);
}
