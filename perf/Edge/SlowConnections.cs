using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>Opens connections that send nothing, half a header or a byte a second, while good webhooks are still acknowledged.</summary>
internal static class SlowConnections
{
    private static readonly string[] Beginnings =
    [
        string.Empty,
        "POST /webhook/smtp2go HT",
        "POST /webhook/smtp2go HTTP/1.1\r\nHost: x\r\nAuthoriz",
        $"POST /webhook/smtp2go HTTP/1.1\r\nHost: x\r\nAuthorization: {Subject.Credentials}\r\nContent-Length: 100000\r\n\r\nevent=open",
        $"POST /webhook/smtp2go HTTP/1.1\r\nHost: x\r\nAuthorization: {Subject.Credentials}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nev",
    ];

    /// <summary>Holds slow connections open; one that the app closes is opened again.</summary>
    public static async Task<Finding> RunAsync(EdgeApp app, int connections, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (open, closedByApp) = (0, 0);
        var slow = Enumerable.Range(0, connections).Select(i => HoldAsync(i)).ToList();
        while (Volatile.Read(ref open) < connections)
        {
            await Task.Delay(20, cancellationToken);
        }

        end.CancelAfter(duration);
        using var client = new HttpClient { BaseAddress = app.Url, Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = Subject.Credentials;
        var answers = (await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostAsync(client)))).SelectMany(a => a).ToList();
        var memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        await Task.WhenAll(slow);

        var times = answers.Select(a => a.Milliseconds).Order().ToList();
        return new Finding(
            "slow connections",
            $"{connections:N0} held for {duration.TotalSeconds:0} s ({closedByApp:N0} closed by the app and opened again); "
                + $"{answers.Count:N0} good webhooks in that time, {answers.Count(a => !a.Ok):N0} not acknowledged, "
                + $"p50 {times[times.Count / 2]:0.0} ms, p99 {times[(int)(times.Count * 0.99)]:0.0} ms, max {times[^1]:0.0} ms; "
                + $"memory grew by {memory / 1024.0 / connections:0.0} KiB per connection",
            answers.TrueForAll(a => a.Ok));

        async Task HoldAsync(int i)
        {
            var buffer = new byte[512];
            while (!end.IsCancellationRequested)
            {
                try
                {
                    using var socket = new TcpClient();
                    await socket.ConnectAsync(app.Url.Host, app.Url.Port, end.Token);
                    await using var stream = socket.GetStream();
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(Beginnings[i % Beginnings.Length]), end.Token);
                    Interlocked.Increment(ref open);
                    var closed = ReadToEndAsync(stream, buffer);
                    while (!closed.IsCompleted)
                    {
                        await Task.WhenAny(closed, Task.Delay(TimeSpan.FromSeconds(1), end.Token));
                        if (i % Beginnings.Length > 1 && !closed.IsCompleted)
                        {
                            await stream.WriteAsync("x"u8.ToArray(), end.Token);
                        }

                        end.Token.ThrowIfCancellationRequested();
                    }

                    Interlocked.Increment(ref closedByApp);
                }
                catch (IOException)
                {
                    Interlocked.Increment(ref closedByApp);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        async Task ReadToEndAsync(NetworkStream stream, byte[] buffer)
        {
            try
            {
                while (await stream.ReadAsync(buffer, end.Token) > 0)
                {
                    // An answer such as 408, then the end.
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // Closed by either side.
            }
        }

        async Task<List<(bool Ok, double Milliseconds)>> PostAsync(HttpClient good)
        {
            var list = new List<(bool, double)>();
            while (!end.IsCancellationRequested)
            {
                var start = Stopwatch.GetTimestamp();
                using var content = new StringContent("event=open&email_id=e");
                using var answer = await good.PostAsync(new Uri("webhook/smtp2go", UriKind.Relative), content, cancellationToken);
                list.Add((answer.IsSuccessStatusCode, Stopwatch.GetElapsedTime(start).TotalMilliseconds));
            }

            return list;
        }
    }
}
