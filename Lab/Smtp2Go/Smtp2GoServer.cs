using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>
/// SMTP2GO's API over an account of ours, on loopback. It follows the documentation; nobody has compared it with SMTP2GO.
/// </summary>
public sealed class Smtp2GoServer : IAsyncDisposable
{
    /// <summary>How many searches a minute are answered.</summary>
    public const int SearchesPerMinute = 60;

    private const string Version = "/v3";
    private const int MaxBodyBytes = 1024 * 1024;

    private static readonly TimeSpan StormWait = TimeSpan.FromMinutes(1);

    private readonly ConcurrentQueue<ApiCall> calls = new();
    private readonly Smtp2GoAccount account;
    private readonly TimeProvider time;
    private readonly RateLimit searches;
    private readonly ApiEndpoints endpoints;
    private readonly WebApplication app;
    private int errors;

    private Smtp2GoServer(Smtp2GoAccount account, TimeProvider time, int port)
    {
        this.account = account;
        this.time = time;
        searches = new RateLimit(SearchesPerMinute, time);
        endpoints = new ApiEndpoints(account, Behaviour, time);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = MaxBodyBytes);
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    /// <summary>Such as <c>http://127.0.0.1:21000/v3</c>.</summary>
    public string Url => app.Urls.Single() + Version;

    public ApiBehaviour Behaviour { get; } = new();

    public ApiFaults Faults { get; } = new();

    /// <summary>Every call that came so far, also those that were refused.</summary>
    public IReadOnlyCollection<ApiCall> Calls => calls;

    /// <param name="timeProvider">The clock of the API's own limits, and of <see cref="Calls"/>.</param>
    /// <param name="port">0 for any free one.</param>
    public static async Task<Smtp2GoServer> StartAsync(
        Smtp2GoAccount account, TimeProvider timeProvider, int port, CancellationToken cancellationToken)
    {
        var server = new Smtp2GoServer(account, timeProvider, port);
        await server.app.StartAsync(cancellationToken);
        return server;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var came = time.GetUtcNow();
        var path = PathOf(context.Request);
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var wait = path == ApiEndpoints.Activity ? searches.Take() : TimeSpan.Zero;
        var fault = wait > TimeSpan.Zero ? null : Faults.Next();
        ApiAnswer? answer = null;
        if (fault != ApiFault.Drop)
        {
            answer = fault switch
            {
                { Body: { } text } => ApiAnswer.NotJson(fault.Status, text),
                { Status: 429 } => TooManyCalls(StormWait),
                { Status: > 299 } => Refuse(ApiError.Other(fault.Status)),
                _ when wait > TimeSpan.Zero => TooManyCalls(wait),
                _ => Answer(context.Request, path, body),
            };
        }

        var places = ApiAuthentication.PlacesOf(context.Request, body, account.Keys);
        calls.Enqueue(new ApiCall(path, came, fault == ApiFault.Cut ? 0 : answer?.Status ?? 0, places, body));
        if (fault is { Delay: var delay } && delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, time, context.RequestAborted);
        }

        if (answer is null)
        {
            context.Abort();
        }
        else
        {
            await answer.SendAsync(context, isCut: fault == ApiFault.Cut);
        }
    }

    private ApiAnswer Answer(HttpRequest request, string path, string body)
    {
        try
        {
            if (!ApiEndpoints.Exists(path) || request.Method != HttpMethods.Post)
            {
                throw ApiError.Other(StatusCodes.Status404NotFound, "There is no such endpoint.");
            }

            using var json = Parse(body);
            var key = ApiAuthentication.KeyOf(request, json.RootElement, account.Keys) ?? throw ApiError.NoKey();
            return key.May(path)
                ? ApiAnswer.Of(writer => endpoints.Answer(path, key, json.RootElement, writer))
                : throw ApiError.NotPermitted();
        }
        catch (ApiError error)
        {
            return Refuse(error);
        }
    }

    private static string PathOf(HttpRequest request) =>
        request.Path.StartsWithSegments(Version, StringComparison.Ordinal, out var rest) ? rest.ToString() : request.Path.ToString();

    private static JsonDocument Parse(string body)
    {
        try
        {
            var json = JsonDocument.Parse(string.IsNullOrWhiteSpace(body) ? "{}" : body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? json
                : throw ApiError.Other(StatusCodes.Status400BadRequest, "The body must be an object.");
        }
        catch (JsonException)
        {
            throw ApiError.Other(StatusCodes.Status400BadRequest, "The body is not valid JSON.");
        }
    }

    private ApiAnswer TooManyCalls(TimeSpan wait) =>
        Refuse(ApiError.TooManyCalls()) with { RetryAfter = Behaviour.RetryAfter ? wait : null };

    private ApiAnswer Refuse(ApiError error)
    {
        var atRoot = Behaviour.ErrorShape switch
        {
            ErrorShape.AtRoot => true,
            ErrorShape.InData => false,
            _ => Interlocked.Increment(ref errors) % 2 == 0,
        };
        return ApiAnswer.Of(error, atRoot, Behaviour.ValidationErrorsAsArray);
    }
}
