using System.Net;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;
using Smtp2GoIngest.Tool.Studio.Serving;

namespace Smtp2GoIngest.Tests;

/// <summary>Studio over a storage account, on a free port, with its times in UTC.</summary>
internal sealed class StudioSite : IAsyncDisposable
{
    private readonly StudioServer server;

    private StudioSite(StudioServer server)
    {
        this.server = server;
        Base = new Uri(NewLink(), ".");
    }

    /// <summary>Where the pages are. Without a cookie it lets nobody in.</summary>
    public Uri Base { get; }

    public static async Task<StudioSite> StartAsync(string account, TimeProvider? time = null)
    {
        var storage = StudioStorage.Of(new StorageOptions { ConnectionString = account });
        return new StudioSite(await StudioServer.StartAsync(storage, TimeText.Utc, time ?? TimeProvider.System, port: 0, Test.Token));
    }

    public Uri NewLink(string page = "") => server.NewLink(page);

    /// <summary>The cookie of a browser that is let in, as it sends it.</summary>
    public async Task<string> LetInAsync()
    {
        using var answer = await GetAsync(NewLink());
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    /// <summary>Follows no redirect.</summary>
    public static async Task<HttpResponseMessage> GetAsync(Uri uri, string? cookie = null)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        return await client.SendAsync(request, Test.Token);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();
}
