using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Smtp2GoIngest.Tests;

/// <summary>An answer to a request that no HTTP library would send.</summary>
/// <param name="Status">0 for an answer that is not HTTP/1.</param>
internal sealed record RawHttp(int Status, string Head, string Body)
{
    /// <summary>Sends the lines of a request's head, and reads until the other side closes the connection.</summary>
    /// <param name="uri">Only its port counts.</param>
    public static async Task<RawHttp> SendAsync(Uri uri, params string[] lines)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        ending.CancelAfter(Test.Patience); // A server that neither answers nor closes would hold up the test for ever.
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, uri.Port, ending.Token);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(string.Join("\r\n", [.. lines, "\r\n"])), ending.Token);
        var text = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            // A web socket stays open.
            while (!text.ToString().StartsWith("HTTP/1.1 101", StringComparison.Ordinal)
                && await stream.ReadAsync(buffer, ending.Token) is > 0 and var read)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // A server that refuses half a request may also reset the connection.
        }

        var parts = text.ToString().Split("\r\n\r\n", 2);
        var isHttp = int.TryParse(parts[0].Split(' ').ElementAtOrDefault(1), CultureInfo.InvariantCulture, out var status);
        return new RawHttp(isHttp ? status : 0, parts[0], parts.ElementAtOrDefault(1) ?? string.Empty);
    }

    /// <summary>A header of the answer; null if it has none.</summary>
    public string? this[string name] => Head.Split("\r\n")
        .FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
}
