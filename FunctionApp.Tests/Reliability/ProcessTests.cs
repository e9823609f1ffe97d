using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Smtp2GoIngest.Lab.FaultProxy;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>The app as a process, told to stop or killed while it handles webhooks.</summary>
public sealed class ProcessTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Told_to_stop_it_answers_what_it_has_begun_and_accepts_nothing_new()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        const int Requests = 20;
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        proxy.Choose = static request => request.Operation == "PutMessage" ? Fault.Delay(TimeSpan.FromMilliseconds(500)) : null;
        using var process = await AppProcess.StartAsync(proxy.ConnectionStringOf(account));
        var begun = new List<Request>();
        for (var i = 0; i < Requests; i++)
        {
            begun.Add(await Request.BeginAsync(process.Port, Scenario.EventOf($"{i}")));
        }

        await process.TerminateAsync();
        await Eventually.Get(() => process.IsListeningAsync(), listening => !listening);
        var answers = await Task.WhenAll(begun.Select(request => request.EndAsync()));

        Assert.All(answers, status => Assert.Equal("HTTP/1.1 200 OK", status));
        Assert.Equal(0, await process.ExitedAsync());
        await using var next = await IngestApp.StartAsync(account);
        await next.DrainedAsync();
        await StoredState.AssertAsync(next, account, Enumerable.Range(0, Requests).Select(i => $"{i}"));
    }

    [Fact]
    public async Task Killed_between_the_queue_and_the_answer_it_stores_what_is_posted_again_only_once()
    {
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        var sends = 0;
        proxy.Choose = request => request.Operation switch
        {
            "PutMessage" => Interlocked.Increment(ref sends) == 2 ? Fault.DropAfter : sends > 2 ? Fault.DropBefore : null,
            "GetMessages" => Fault.DropBefore,
            _ => null,
        };
        using var process = await AppProcess.StartAsync(proxy.ConnectionStringOf(account));
        await using var next = await IngestApp.StartAsync(account, pump: false);

        // The first finds no queue; the second takes effect.
        var request = await Request.BeginAsync(process.Port, Scenario.EventOf("1"));
        var answer = request.EndAsync();
        await Eventually.Get(next.WaitingAsync, count => count == 1);
        process.Kill();
        Assert.DoesNotContain("200", await answer ?? string.Empty, StringComparison.Ordinal);

        await using var app = await IngestApp.StartAsync(account);
        await app.AcknowledgedAsync(Scenario.EventOf("1"));
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, ["1"]);
    }

    private sealed class AppProcess(Process process, int port) : IDisposable
    {
        public int Port => port;

        public static async Task<AppProcess> StartAsync(string connectionString)
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var port = ((IPEndPoint)free.LocalEndpoint).Port;
            free.Stop();
            var start = new ProcessStartInfo(
                "dotnet", [Path.Combine(AppContext.BaseDirectory, "SelfHost.dll"), "--urls", $"http://127.0.0.1:{port}"]
            )
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["EventStorage"] = connectionString;
            start.Environment["Webhook__Username"] = IngestApp.Username;
            start.Environment["Webhook__Password"] = IngestApp.Password;
            var app = new AppProcess(Process.Start(start)!, port);
            app.ReadToEnd();
            await Eventually.Get(app.IsListeningAsync, listening => listening);
            return app;
        }

        public async Task<bool> IsListeningAsync()
        {
            Assert.True(!process.HasExited || process.ExitCode == 0, "The app has ended.");
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, Test.Token);
                return true;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                // Reset: it was still queued when the app closed the port.
                return false;
            }
        }

        public async Task TerminateAsync()
        {
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await kill.WaitForExitAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
        }

        public void Kill() => process.Kill();

        public async Task<int> ExitedAsync()
        {
            await process.WaitForExitAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
            return process.ExitCode;
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.Dispose();
        }

        // A full pipe would stop it.
        private void ReadToEnd()
        {
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }
    }

    /// <summary>A POST that sends its body only when told to: the app asks for it once it has begun on the request.</summary>
    private sealed class Request(TcpClient client, StreamReader reader, byte[] body)
    {
        public static async Task<Request> BeginAsync(int port, string body)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, Test.Token);
            var bytes = Encoding.ASCII.GetBytes(body);
            var head =
                "POST /webhook/smtp2go HTTP/1.1\r\nHost: x\r\n"
                + $"Authorization: {IngestApp.Basic(IngestApp.Username, IngestApp.Password)}\r\n"
                + $"Content-Length: {bytes.Length}\r\nExpect: 100-continue\r\n\r\n";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Test.Token);
            var reader = new StreamReader(client.GetStream());
            Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync(Test.Token).AsTask().WaitAsync(Test.Patience, Test.Token));
            Assert.Empty((await reader.ReadLineAsync(Test.Token))!);
            return new Request(client, reader, bytes);
        }

        /// <summary>Sends the body; returns the first line of the answer, or null if the connection ends without one.</summary>
        public async Task<string?> EndAsync()
        {
            using (client)
            using (reader)
            {
                try
                {
                    await client.GetStream().WriteAsync(body, Test.Token);
                    return await reader.ReadLineAsync(Test.Token).AsTask().WaitAsync(Test.Patience, Test.Token);
                }
                catch (IOException)
                {
                    return null;
                }
            }
        }
    }
}
