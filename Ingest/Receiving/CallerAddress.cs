using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Receiving;

/// <summary>Finds the address of the caller behind our own proxies (<c>Webhook__TrustedProxies</c>).</summary>
public sealed class CallerAddress
{
    private const string Header = "X-Forwarded-For";

    private readonly ForwardedHeadersMiddleware? forwarded;

    public CallerAddress(IOptions<WebhookOptions> options, AppEnvironment environment, ILoggerFactory loggers)
    {
        // On Azure the front end is a proxy.
        TrustedProxies = options.Value.TrustedProxies ?? (environment.IsAzure ? 1 : 0);
        if (TrustedProxies > 0)
        {
            var settings = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = TrustedProxies };

            // Hops are trusted by their number: the front end's addresses change.
            settings.KnownIPNetworks.Clear();
            settings.KnownProxies.Clear();
            forwarded = new ForwardedHeadersMiddleware(_ => Task.CompletedTask, loggers, Options.Create(settings));
        }
    }

    /// <summary>How many hops in the header, from the right, are trusted.</summary>
    public int TrustedProxies { get; }

    /// <summary>How many hops the header names. <see cref="Of"/> removes the ones that it trusts, so call this first.</summary>
    public static int Hops(HttpRequest request) => request.Headers.GetCommaSeparatedValues(Header).Length;

    /// <summary>The caller's address; null if the connection has none.</summary>
    public IPAddress? Of(HttpContext context)
    {
        forwarded?.ApplyForwarders(context);
        return context.Connection.RemoteIpAddress;
    }
}
