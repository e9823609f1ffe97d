using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Tool.Studio.Serving;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>The command around the pages: how it starts, whom it lets in, and how it ends.</summary>
public sealed class StudioCommandTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task Each_link_lets_in_once_Enter_makes_another_and_Ctrl_C_ends_it_with_0()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "It is interrupted by a signal.");
        using var process = Start("studio", "http://127.0.0.1:1/abc/email?id=e1&token=old");
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

        Assert.StartsWith("Studio shows account ", await LineAsync(process), StringComparison.Ordinal);
        var first = new Uri(await LineAsync(process));
        Assert.Contains("Enter", await LineAsync(process), StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", first.Host);
        Assert.EndsWith("/email", first.AbsolutePath, StringComparison.Ordinal);
        Assert.StartsWith("?id=e1&token=", first.Query, StringComparison.Ordinal);
        Assert.Equal([HttpStatusCode.Redirect, HttpStatusCode.Unauthorized], [await OpenAsync(first), await OpenAsync(first)]);

        await process.StandardInput.WriteLineAsync();
        await process.StandardInput.FlushAsync(Test.Token);
        Assert.Equal(HttpStatusCode.Redirect, await OpenAsync(new Uri(await LineAsync(process))));

        using var interrupt = Process.Start("kill", [IsInterruptIgnored ? "-TERM" : "-INT", $"{process.Id}"]);
        await process.WaitForExitAsync(Test.Token).WaitAsync(Test.Patience, Test.Token);
        Assert.Equal(0, process.ExitCode);
        Assert.Empty(await process.StandardError.ReadToEndAsync(Test.Token));

        async Task<HttpStatusCode> OpenAsync(Uri link)
        {
            using var answer = await client.GetAsync(link, Test.Token);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error_that_says_what_to_do()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var run = await ToolRun.RunAsync(azurite.NewAccount(), now: null, "studio", "--no-browser", "--port", $"{port}");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("--port", run.Error, StringComparison.Ordinal);
    }

    /// <summary>A page that is loaded again is gone for a moment, and the last of two tabs counts.</summary>
    [Fact]
    public async Task It_ends_some_seconds_after_the_last_tab_was_closed()
    {
        var time = new FakeTimeProvider();
        var tabs = new OpenTabs(time);

        await OpenAsync();
        await OpenAsync();
        await CloseAsync();
        Assert.False(IsOver(60));

        await CloseAsync();
        Assert.False(IsOver(5));
        await OpenAsync();
        Assert.False(IsOver(60));

        await CloseAsync();
        Assert.False(IsOver(5));
        time.Advance(TimeSpan.FromSeconds(60));
        await tabs.LastClosed.WaitAsync(Test.Patience, Test.Token);

        Task OpenAsync() => tabs.OnConnectionUpAsync(null!, Test.Token);

        Task CloseAsync() => tabs.OnConnectionDownAsync(null!, Test.Token);

        bool IsOver(int seconds)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            return tabs.LastClosed.IsCompleted;
        }
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("health", "health")]
    [InlineData("/health", "health")]
    [InlineData("email?id=a%2Fb", "email?id=a%2Fb")]
    [InlineData("http://127.0.0.1:4711/0123456789abcdef/email?id=a%26b%3D", "email?id=a%26b%3D")]
    [InlineData("http://localhost:4711/0123/activity?event=open&event=click&token=t", "activity?event=open&event=click")]
    [InlineData("127.0.0.1:4711/0123/health#main", "health")]
    [InlineData("activity?event=bounce#main", "activity?event=bounce")]
    [InlineData("http://127.0.0.1:4711/0123/", "")]
    [InlineData("//evil.example/x", "evil.example%2Fx")]
    [InlineData("https://evil.example/a/b/c", "b%2Fc")]
    [InlineData("javascript:alert(1)", "javascript%3Aalert%281%29")]
    public void A_URL_from_another_machine_leads_to_the_same_page_here(string? url, string page) =>
        Assert.Equal(page, SharedLink.PageIn(url));

    // A shell makes what it runs in the background deaf to Ctrl+C, and so is what that starts. Each signal has a bit, from 1 on.
    private static bool IsInterruptIgnored => OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && (long.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1 << 1)) != 0;

    private Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(SharedLink).Assembly.Location, .. args])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["EventStorage"] = azurite.NewAccount();
        return Process.Start(start)!;
    }

    private static async Task<string> LineAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync(Test.Token).AsTask().WaitAsync(Test.Patience, Test.Token) ?? string.Empty;
}
