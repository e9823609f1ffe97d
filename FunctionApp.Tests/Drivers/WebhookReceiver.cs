using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Tests;

/// <summary>A webhook as it came.</summary>
internal sealed record ReceivedPost(string Target, string Authorization, string ContentType, string Body)
{
    /// <summary>The first value of a field in a form.</summary>
    public string Field(string name) => Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(Body)[name].First()!;
}

/// <summary>Takes webhooks, keeps them in memory, and answers what it is told to.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<ReceivedPost> posts = new();
    private readonly WebApplication app;

    private WebhookReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    /// <summary>The status for a post. -1 takes the post and breaks the connection.</summary>
    public Func<ReceivedPost, int> Status { get; set; } = _ => StatusCodes.Status200OK;

    public IReadOnlyCollection<ReceivedPost> Posts => posts;

    public Uri Url(string target = "/webhook") => new(app.Urls.Single() + target);

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver.app.StartAsync(Test.Token);
        return receiver;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var post = new ReceivedPost(
            context.Request.Path + context.Request.QueryString.ToString(),
            context.Request.Headers.Authorization.ToString(),
            context.Request.ContentType ?? string.Empty,
            await reader.ReadToEndAsync(context.RequestAborted));
        posts.Enqueue(post);
        var status = Status(post);
        if (status < 0)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        await context.Response.WriteAsync("The answer.", context.RequestAborted);
    }
}
