using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Radzen;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio.Components;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>Serves the pages on the loopback address of this machine.</summary>
internal sealed class StudioServer : IAsyncDisposable
{
    // No request has a body, and a URL is short.
    private const int MaxRequestBytes = 16 * 1024;

    // Several tabs, each with one web socket and a few requests for files.
    private const int MaxConnections = 256;

    // The longest message from the browser is a search.
    private const int MaxMessageBytes = 32 * 1024;

    // A laptop that slept finds its page again; what a closed tab held is freed.
    private static readonly TimeSpan KeptAfterDisconnect = TimeSpan.FromMinutes(1);

    private readonly WebApplication app;
    private readonly StudioAccess access;

    private StudioServer(WebApplication app, StudioAccess access) => (this.app, this.access) = (app, access);

    /// <summary>The browser's tabs that show Studio.</summary>
    public OpenTabs Tabs => app.Services.GetRequiredService<OpenTabs>();

    /// <summary>What is shown, in words.</summary>
    public string Account => app.Services.GetRequiredService<StudioStorage>().ToString();

    /// <param name="port">0 for any that is free.</param>
    public static async Task<StudioServer> StartAsync(
        StudioStorage storage, TimeText times, TimeProvider time, int port, CancellationToken cancellationToken)
    {
        // Empty: no settings file, no environment variable and no log provider changes where it listens or what it logs.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection =>
                    PeerUser.IsAnother(connection.LocalEndPoint, connection.RemoteEndPoint) ? Task.CompletedTask : next(connection));
            });
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestLineSize = MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        });
        var guard = new StudioAccess();
        builder.Services.AddRoutingCore();
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(hub =>
            hub.MaximumReceiveMessageSize = MaxMessageBytes);
        builder.Services.Configure<CircuitOptions>(circuits =>
        {
            circuits.DisconnectedCircuitRetentionPeriod = KeptAfterDisconnect;
            circuits.DisconnectedCircuitMaxRetained = 8;
        });
        builder.Services
            .AddRadzenComponents()
            .AddSingleton(storage)
            .AddSingleton(times)
            .AddSingleton(time)
            .AddSingleton<OpenTabs>()
            .AddSingleton<CircuitHandler>(services => services.GetRequiredService<OpenTabs>());
        var built = builder.Build();
        built.Use(guard.GuardAsync);
        built.UsePathBase(guard.PathBase);
        built.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        built.UseRouting();
        built.UseAntiforgery();
        StudioAssets.Map(built);
        built.MapRazorComponents<App>().AddInteractiveServerRenderMode(mode => mode.ContentSecurityFrameAncestorsPolicy = null);
        try
        {
            await built.StartAsync(cancellationToken);
        }
        catch
        {
            await built.DisposeAsync();
            throw;
        }

        guard.ListensAt(new Uri(built.Urls.Single()));
        return new StudioServer(built, guard);
    }

    /// <summary>A link to a page that lets one browser in, once. A newer link replaces it.</summary>
    /// <param name="page">As <see cref="StudioLinks"/> makes them.</param>
    public Uri NewLink(string page) => access.NewLink(page);

    public async ValueTask DisposeAsync()
    {
        // A page keeps its web socket open for as long as it is shown.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
