using System.Diagnostics;
using System.Text;
using Smtp2GoIngest.AppUnderTest;
using Smtp2GoIngest.Tool;

namespace Smtp2GoIngest.Load;

/// <summary>What a number of clients saw, each over a connection of its own and one webhook after another.</summary>
/// <param name="Acknowledged">How many got 200.</param>
/// <param name="Failed">How many did not.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="Milliseconds">The time of each answer 200, sorted.</param>
internal sealed record Seen(int Acknowledged, int Failed, TimeSpan Elapsed, IReadOnlyList<double> Milliseconds)
{
    public double PerSecond => Acknowledged / Elapsed.TotalSeconds;

    public double At(double quantile) => Milliseconds.Count == 0 ? double.NaN : Milliseconds[Math.Min(Milliseconds.Count - 1, (int)(Milliseconds.Count * quantile))];
}

internal static class Clients
{
    // One of each event as a form and as JSON; every webhook gets ids of its own.
    private static readonly (string Body, string Type)[] Mix =
    [
        .. SampleWebhook.OneOfEach("EMAILID-EMAILID", DateTimeOffset.UtcNow).Where(w => w.Fields.Any(f => f.Key == "email_id")).SelectMany(w => new[]
        {
            (WithMarks(w).ToForm(), "application/x-www-form-urlencoded"),
            (WithMarks(w).ToJson(), "application/json"),
        }),
    ];

    private static int next;

    /// <summary>Posts for a time, or up to a number.</summary>
    public static async Task<Seen> RunAsync(Uri url, int connections, TimeSpan duration, CancellationToken cancellationToken, int most = int.MaxValue)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = connections };
        using var client = new HttpClient(handler) { BaseAddress = url, Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = Subject.Credentials;
        var left = most;
        var start = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            var times = new List<double>();
            var failed = 0;
            while (Stopwatch.GetElapsedTime(start) < duration && Interlocked.Decrement(ref left) >= 0)
            {
                var n = Interlocked.Increment(ref next);
                var (body, type) = Mix[n % Mix.Length];
                using var content = new StringContent(
                    body.Replace("EVENTID", $"{n:x32}", StringComparison.Ordinal).Replace("EMAILID-EMAILID", $"1w{n % 5000:x5}-AbCdEfGhIjK-Lm", StringComparison.Ordinal), Encoding.UTF8, type);
                var sent = Stopwatch.GetTimestamp();
                using var answer = await client.PostAsync(new Uri("webhook/smtp2go", UriKind.Relative), content, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                }
                else
                {
                    failed++;
                }
            }

            return (Times: times, Failed: failed);
        }));
        var sorted = all.SelectMany(a => a.Times).Order().ToList();
        return new Seen(sorted.Count, all.Sum(a => a.Failed), Stopwatch.GetElapsedTime(start), sorted);
    }

    private static SampleWebhook WithMarks(SampleWebhook webhook) =>
        new([.. webhook.Fields.Select(field => field.Key == "id" ? KeyValuePair.Create<string, object>("id", "EVENTID") : field)]);
}
