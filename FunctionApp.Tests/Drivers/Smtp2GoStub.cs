using System.Collections.Concurrent;
using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Tests;

/// <summary>A call as it came.</summary>
/// <param name="Target">What stands in the first line: a path, or the host that a proxy is asked for.</param>
/// <param name="Headers">Each as <c>name: value</c>.</param>
internal sealed record StubCall(DateTimeOffset Time, string Target, IReadOnlyList<string> Headers, string Body);

/// <summary>Stands in SMTP2GO's place, or in a proxy's, and answers byte for byte what a test says.</summary>
internal sealed class Smtp2GoStub : IAsyncDisposable
{
    private readonly ConcurrentQueue<StubCall> calls = new();
    private readonly Queue<Func<HttpContext, Task>> answers;
    private readonly TimeProvider time;
    private readonly WebApplication app;

    private Smtp2GoStub(TimeProvider time, IEnumerable<Func<HttpContext, Task>> answers)
    {
        (this.time, this.answers) = (time, new Queue<Func<HttpContext, Task>>(answers));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public Uri Url => new(app.Urls.Single());

    public IReadOnlyCollection<StubCall> Calls => calls;

    /// <param name="answers">One for each call. After the last one, all calls are answered as by an account without anything.</param>
    public static async Task<Smtp2GoStub> StartAsync(TimeProvider time, params IEnumerable<Func<HttpContext, Task>> answers)
    {
        var stub = new Smtp2GoStub(time, answers);
        await stub.app.StartAsync(Test.Token);
        return stub;
    }

    /// <summary>An answer without a body.</summary>
    public static Func<HttpContext, Task> Status(int status, string? header = null, string? value = null) => context =>
    {
        context.Response.StatusCode = status;
        if (header is not null)
        {
            context.Response.Headers[header] = value;
        }

        return Task.CompletedTask;
    };

    public static Task AnswerNothingAsync(HttpContext context)
    {
        context.Response.ContentType = MediaTypeNames.Application.Json;
        var data = context.Request.Path.Value!.EndsWith("/search", StringComparison.Ordinal) ? """{"total_events":0,"events":[]}""" : "[]";
        return context.Response.WriteAsync($$"""{"data":{{data}}}""", context.RequestAborted);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var came = time.GetUtcNow();
        using var reader = new StreamReader(context.Request.Body);
        calls.Enqueue(new StubCall(
            came,
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            [.. context.Request.Headers.Select(header => $"{header.Key}: {header.Value}")],
            await reader.ReadToEndAsync(context.RequestAborted)));
        Func<HttpContext, Task>? answer;
        lock (answers)
        {
            answers.TryDequeue(out answer);
        }

        await (answer ?? AnswerNothingAsync)(context);
    }
}
