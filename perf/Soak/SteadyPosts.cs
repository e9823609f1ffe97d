using System.Collections.Concurrent;
using System.Text;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Soak;

/// <summary>
/// Posts at a steady rate: one connection for each ten a second, each on its own clock, so that a slow answer does not delay the others.
/// </summary>
internal static class SteadyPosts
{
    private static readonly Uri Path = new("webhook/smtp2go", UriKind.Relative);

    /// <summary>Posts until it is told to stop. Storage is healthy, so nothing may be refused.</summary>
    public static async Task<(int Posted, List<string> Refused)> PostAsync(Uri url, int rate, CancellationToken cancellationToken)
    {
        var next = 0;
        var refused = new ConcurrentBag<string>();
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var client = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = Subject.Credentials;
        var connections = Math.Max(1, rate / 10);
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var clock = new PeriodicTimer(TimeSpan.FromSeconds((double)connections / rate));
            try
            {
                while (await clock.WaitForNextTickAsync(failed.Token))
                {
                    // A post that has begun is finished: its answer must be known.
                    var n = Interlocked.Increment(ref next);
                    using var content = new StringContent(Body(n), Encoding.UTF8, "application/x-www-form-urlencoded");
                    using var answer = await client.PostAsync(Path, content, CancellationToken.None);
                    if (!answer.IsSuccessStatusCode)
                    {
                        refused.Add(IdOf(n));
                    }
                }
            }
            catch (OperationCanceledException) when (failed.IsCancellationRequested)
            {
                // The time is up, or another connection failed.
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }));
        return (next, [.. refused]);
    }

    public static string IdOf(int n) => $"{n:x32}";

    private static string Body(int n)
    {
        var samples = SampleWebhook.OneOfEach($"1s{n / 5:x6}-AbCdEfGhIjK-Lm", DateTimeOffset.UtcNow);
        var fields = samples[n % samples.Count].Fields.ToDictionary(StringComparer.Ordinal);
        fields["id"] = IdOf(n);
        return new SampleWebhook([.. fields]).ToForm();
    }
}
