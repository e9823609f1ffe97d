using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Tests;

/// <summary>Receives what the app exports: OTLP over HTTP, or Application Insights items.</summary>
internal sealed class TelemetryCollector : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<(string Path, byte[] Body)> posts = new();

    private TelemetryCollector(WebApplication app) => this.app = app;

    public string Url => app.Urls.Single();

    /// <summary>A connection string for an Application Insights resource that is really this collector.</summary>
    public string ConnectionString => $"InstrumentationKey={Guid.Empty};IngestionEndpoint={Url}/;LiveEndpoint={Url}/";

    public static async Task<TelemetryCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var collector = new TelemetryCollector(builder.Build());
        collector.app.Urls.Add("http://127.0.0.1:0");
        collector.app.MapPost("{*path}", collector.TakeAsync);
        await collector.app.StartAsync(Test.Token);
        return collector;
    }

    /// <summary>Everything sent to a path, each post on its own line; what is not text is garbled.</summary>
    public string TextOf(string path) =>
        string.Join('\n', posts.Where(post => post.Path == path).Select(post => Encoding.UTF8.GetString(post.Body)));

    /// <summary>The content of each Application Insights item of one kind, for example <c>RequestData</c>.</summary>
    public List<JsonNode> ItemsOf(string kind) =>
    [
        .. TextOf("/v2.1/track")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!["data"]!)
            .Where(data => (string?)data["baseType"] == kind)
            .Select(data => data["baseData"]!),
    ];

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await using var content = request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(request.Body, CompressionMode.Decompress)
            : request.Body;
        await content.CopyToAsync(body, Test.Token);
        posts.Enqueue((request.Path, body.ToArray()));
        var items = body.ToArray().Count(b => b == '\n') + 1;
        return Results.Json(new { itemsReceived = items, itemsAccepted = items, errors = Array.Empty<object>() });
    }
}
