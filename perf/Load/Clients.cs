using System.Diagnostics;
using Smtp2GoIngest.Perf.AppUnderTest;

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
                using var content = Mail.Next(out var id);
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
}
