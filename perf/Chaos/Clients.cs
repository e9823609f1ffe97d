using System.Net.Http.Headers;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Posts as SMTP2GO does: gives up after ten seconds, and posts again whatever was not answered 200.</summary>
internal sealed class Clients(Uri url, Ledger ledger, int seed) : IDisposable
{
    private const int Count = 64;
    private const int PerSecond = 220;
    private const double SendTimeDiffers = 0.3;
    private const double PostedOnceMore = 0.03;

    // How long a webhook is posted again after the chaos. A healthy app accepts it at the first try.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = Count, UseProxy = false })
    {
        BaseAddress = url,
        Timeout = TimeSpan.FromSeconds(10),
        DefaultRequestHeaders = { Authorization = Subject.Credentials },
    };

    private int started;

    /// <summary>Posts new webhooks at a steady rate, catching up after a delay, then continues until everything is acknowledged.</summary>
    /// <param name="duration">How long new webhooks are posted.</param>
    public Task RunAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var begin = Journal.Now;
        return Task.WhenAll(Enumerable.Range(0, Count).Select(async client =>
        {
            var random = new Random(unchecked((seed * 31) + client));
            while (true)
            {
                var due = begin + TimeSpan.FromSeconds((double)Interlocked.Increment(ref started) / PerSecond);
                if (due > begin + duration || Journal.Now > begin + duration)
                {
                    return;
                }

                if (due - Journal.Now is { Ticks: > 0 } early)
                {
                    await Task.Delay(early, cancellationToken);
                }

                await DeliverAsync(ledger.Next(), begin + duration + Patience, random, cancellationToken);
            }
        }));
    }

    public void Dispose() => http.Dispose();

    private async Task DeliverAsync(PostedWebhook webhook, TimeSpan giveUp, Random random, CancellationToken cancellationToken)
    {
        var version = 0;
        while (!await PostAsync(webhook, version, cancellationToken))
        {
            if (Journal.Now > giveUp)
            {
                return;
            }

            await Task.Delay(random.Next(100, 1000), cancellationToken);
            version += webhook.SendTimeMayDiffer && random.NextDouble() < SendTimeDiffers ? 1 : 0;
        }

        if (random.NextDouble() < PostedOnceMore)
        {
            await Task.Delay(random.Next(1000), cancellationToken);
            await PostAsync(
                webhook, webhook.SendTimeMayDiffer && random.NextDouble() < SendTimeDiffers ? version + 1 : version, cancellationToken);
        }
    }

    private async Task<bool> PostAsync(PostedWebhook webhook, int version, CancellationToken cancellationToken)
    {
        var body = webhook.Body(version);
        var post = ledger.Try(webhook, body);
        using var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(webhook.ContentType) } };
        string answer;
        var begun = Journal.Now;
        try
        {
            using var response = await http.PostAsync(new Uri("webhook/smtp2go", UriKind.Relative), content, cancellationToken);
            answer = $"{(int)response.StatusCode}";
        }
        catch (HttpRequestException)
        {
            answer = "no connection";
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            answer = "time-out";
        }

        ledger.Answered(webhook, post, answer, Journal.Now - begun);
        return answer == Post.Acknowledged;
    }
}
