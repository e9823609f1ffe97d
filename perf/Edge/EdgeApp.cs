using System.Net;
using Azure;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Smtp2GoIngest.AppUnderTest;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Edge;

/// <summary>The app, self-hosted on a real socket, without its pump: what reaches the queue stays there to be counted.</summary>
public sealed class EdgeApp : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly QueueClient queue;

    private EdgeApp(WebApplication app, string connectionString)
    {
        this.app = app;
        queue = new QueueClient(connectionString, WebhookQueue.Name);
        Url = new Uri(app.Urls.Single());
    }

    /// <summary>Where it listens.</summary>
    public Uri Url { get; }

    /// <summary>Starts the app.</summary>
    /// <param name="connectionString">An empty storage account.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<EdgeApp> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var built = Subject.Build(connectionString, consume: false);
        await built.StartAsync(cancellationToken);
        return new EdgeApp(built, connectionString);
    }

    /// <summary>How many webhooks reached the queue; takes them out of it.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
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

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
