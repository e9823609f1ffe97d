using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.SelfHost;

/// <summary>Where Kestrel is told to listen.</summary>
internal sealed class ListeningOptions
{
    public IReadOnlyList<string> Urls { get; set; } = [];

    /// <summary>True if one of them answers more than this machine.</summary>
    public bool IsPublic => Urls.Any(url => !IsLoopback(url));

    /// <summary>In Kestrel's own order: the endpoints in its section, else the URLs, else the ports, on every address.</summary>
    public static IReadOnlyList<string> In(IConfiguration configuration, string byDefault)
    {
        string[] endpoints =
            [.. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? string.Empty)];
        string[] urls = endpoints.Length > 0 ? endpoints : Split(configuration[WebHostDefaults.ServerUrlsKey]);
        string[] ports =
        [
            .. Split(configuration[WebHostDefaults.HttpPortsKey]).Select(port => $"http://*:{port}"),
            .. Split(configuration[WebHostDefaults.HttpsPortsKey]).Select(port => $"https://*:{port}"),
        ];
        return urls.Length > 0 ? urls : ports.Length > 0 ? ports : [byDefault];
    }

    /// <summary>The address in a URL; null if Kestrel could not listen on it.</summary>
    public static BindingAddress? Parse(string url)
    {
        try
        {
            return BindingAddress.Parse(url) is { Host.Length: > 0, PathBase.Length: 0, Port: <= IPEndPoint.MaxPort } address
                && address.Scheme == Uri.UriSchemeHttp
                && (address.IsUnixPipe || IsAddress(address.Host)) ? address : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // Kestrel reads any other name as every address, even one that was meant for this machine only.
    private static bool IsAddress(string host) =>
        host is "*" or "+" || IsLocalhost(host) || IPAddress.TryParse(host, out _);

    private static bool IsLocalhost(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    private static string[] Split(string? list) =>
        list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static bool IsLoopback(string url) =>
        Parse(url) is { } address
        && (address.IsUnixPipe
            || IsLocalhost(address.Host)
            || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip)));
}

/// <summary>Refuses what Kestrel would refuse only when it starts, with a stack trace.</summary>
internal sealed class ListeningOptionsValidator : IValidateOptions<ListeningOptions>
{
    public ValidateOptionsResult Validate(string? name, ListeningOptions options)
    {
        string[] wrong = [.. options.Urls.Where(url => ListeningOptions.Parse(url) is null)];
        return wrong.Length == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Cannot listen on '{string.Join(';', wrong)}' (--urls, ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS or Kestrel__Endpoints): use "
                + "http://<address>:<port> without a path, for example http://127.0.0.1:7071. Use * for every address; the only name "
                + "allowed is localhost. TLS ends at a proxy in front of the app.");
    }
}
