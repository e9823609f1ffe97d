using System.Net;
using System.Net.Sockets;
using System.Text;
using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>
/// What a refused request costs: everything that the app and this experiment together allocate for it and for its connection.
/// </summary>
internal static class RefusalCost
{
    private const int MostBytes = 64 * 1024;

    /// <summary>Sends requests of each kind that is refused, each over its own connection.</summary>
    /// <param name="requests">How many of each kind.</param>
    public static async Task<Finding> RunAsync(EdgeApp app, int requests, CancellationToken cancellationToken)
    {
        (string Status, string Request)[] kinds =
        [
            ("404", Post("/webhook/other", 1024 * 1024, null)),
            ("405", "PUT /webhook/smtp2go HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
            ("413", Post("/webhook/smtp2go", (1024 * 1024) + 1, null)),
            ("401", Post("/webhook/smtp2go", 1024 * 1024, null)),
            ("401", Post("/webhook/smtp2go_wrong?p=wrong", 1024 * 1024, $"Bearer {new string('x', 12_000)}")),
            ("400", Post("/webhook/smtp2go", 0, Subject.Credentials.ToString())),
            ("431", Post("/webhook/smtp2go", 0, $"Bearer {new string('x', 20_000)}")),
        ];
        var endpoint = new IPEndPoint(IPAddress.Loopback, app.Url.Port);
        var buffer = new byte[1024];
        var costs = new List<(string Kind, long Bytes)>();
        foreach (var (status, text) in kinds)
        {
            var request = Encoding.ASCII.GetBytes(text);
            await SendAsync(Math.Max(10, requests / 10), request, status);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await SendAsync(requests, request, status);
            costs.Add(
                (
                    request.Length > 5_000 ? $"{status} with {request.Length / 1000} KB of headers" : status,
                    (GC.GetTotalAllocatedBytes(precise: true) - before) / requests));
        }

        return new Finding(
            "cost of a refusal",
            "allocated in total: " + string.Join(", ", costs.Select(c => $"{c.Kind} {c.Bytes / 1024.0:0.0} KiB")),
            costs.TrueForAll(c => c.Bytes < MostBytes));

        async Task SendAsync(int count, byte[] request, string status)
        {
            for (var i = 0; i < count; i++)
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(endpoint, cancellationToken);
                await socket.SendAsync(request, cancellationToken);
                var read = await socket.ReceiveAsync(buffer, cancellationToken);
                if (!buffer.AsSpan(0, read).StartsWith(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} ")))
                {
                    throw new InvalidOperationException($"Not {status} but {Encoding.ASCII.GetString(buffer, 0, Math.Min(read, 40))}");
                }
            }
        }

        static string Post(string path, int length, string? authorization) =>
            $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
            + $"{(authorization is null ? string.Empty : $"Authorization: {authorization}\r\n")}\r\n";
    }
}
