using System.Net;
using Azure;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>The app, self-hosted on a real socket, without its pump: what reaches the queue stays there to be counted.</summary>
internal sealed class EdgeApp : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly QueueClient queue;

    private EdgeApp(WebApplication app, string connectionString)
    {
        this.app = app;
        queue = new QueueClient(connectionString, WebhookQueue.Name);
        Url = new Uri(app.Urls.Single());
    }

    public Uri Url { get; }

    /// <param name="connectionString">An empty storage account.</param>
    public static async Task<EdgeApp> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var built = Subject.Build(connectionString, consume: false);
        await built.StartAsync(cancellationToken);
        return new EdgeApp(built, connectionString);
    }

    /// <summary>Takes everything out of the queue; returns how many webhooks were in it.</summary>
    public async Task<int> TakeQueuedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var webhooks = 0;
            while ((await queue.ReceiveMessagesAsync(32, TimeSpan.FromHours(1), cancellationToken)).Value is { Length: > 0 } messages)
            {
                webhooks += messages.Sum(message => Envelope.Read(message.Body.ToString()).Entries.Count);
            }

            return webhooks;
        }
        catch (RequestFailedException e) when (e.Status == (int)HttpStatusCode.NotFound)
        {
            return 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
