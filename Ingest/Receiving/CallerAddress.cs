using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Receiving;

/// <summary>The address of the caller, seen through as many proxies as are ours (<c>Webhook__TrustedProxies</c>).</summary>
public sealed class CallerAddress
{
    private const string Header = "X-Forwarded-For";

    private readonly ForwardedHeadersMiddleware? forwarded;

    /// <summary>Takes the number of proxies.</summary>
    /// <param name="options">Valid settings.</param>
    /// <param name="environment">On Azure the front end is a proxy, and the default is 1.</param>
    /// <param name="loggers">For ASP.NET Core's middleware.</param>
    public CallerAddress(IOptions<WebhookOptions> options, AzureEnvironment environment, ILoggerFactory loggers)
    {
        TrustedProxies = options.Value.TrustedProxies ?? (environment.IsAzure ? 1 : 0);
        if (TrustedProxies > 0)
        {
            var settings = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = TrustedProxies };

            // The number of hops is what is trusted; their addresses change on Azure.
            settings.KnownIPNetworks.Clear();
            settings.KnownProxies.Clear();
            forwarded = new ForwardedHeadersMiddleware(_ => Task.CompletedTask, loggers, Options.Create(settings));
        }
    }

    /// <summary>How many hops of the header, from the right, are believed.</summary>
    public int TrustedProxies { get; }

    /// <summary>How many hops the header of a request names.</summary>
    /// <param name="request">The request, before <see cref="Of"/> has taken hops from it.</param>
    public static int Hops(HttpRequest request) => request.Headers.GetCommaSeparatedValues(Header).Length;

    /// <summary>The caller's address; takes the hops that it believes from the header.</summary>
    /// <param name="context">The request's context.</param>
    public IPAddress? Of(HttpContext context)
    {
        forwarded?.ApplyForwarders(context);
        return context.Connection.RemoteIpAddress;
    }
}
