using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>The files that pages load: style sheets, scripts and the font with the icons. All are embedded in the tool.</summary>
internal static class StudioAssets
{
    private const string Folder = "assets";
    private const string Prefix = "studio/";

    private static readonly Assembly Tool = typeof(StudioAssets).Assembly;

    private static readonly Dictionary<string, string> Versions = Tool.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToDictionary(name => name[Prefix.Length..], VersionOf, StringComparer.Ordinal);

    /// <summary>The URL of a file, relative to the base of the pages. It changes with the content, so a browser may keep it.</summary>
    public static string UrlOf(string name) => $"{Folder}/{name}?v={Versions[name]}";

    public static void Map(IEndpointRouteBuilder app)
    {
        var types = new FileExtensionContentTypeProvider();
        foreach (var name in Versions.Keys)
        {
            var type = types.TryGetContentType(name, out var known) ? known : throw new InvalidOperationException(name);
            app.MapMethods($"/{Folder}/{name}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
                return Results.Stream(Tool.GetManifestResourceStream(Prefix + name)!, type);
            });
        }
    }

    private static string VersionOf(string name)
    {
        using var content = Tool.GetManifestResourceStream(name)!;
        return Convert.ToHexStringLower(SHA256.HashData(content))[..12];
    }
}
