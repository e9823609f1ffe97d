using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest;

/// <summary>Every entry point of the app. What they call knows nothing of Azure Functions.</summary>
/// <param name="receiver">Answers webhooks.</param>
/// <param name="processor">Stores them.</param>
/// <param name="queues">Measures what waits.</param>
/// <param name="retention">Deletes what is too old.</param>
public sealed class Functions(WebhookReceiver receiver, WebhookProcessor processor, QueueWatch queues, Retention retention)
{
    /// <summary>Takes a webhook from SMTP2GO. Anonymous for the platform: the app itself knows who may post, and which methods.</summary>
    [Function(nameof(ReceiveWebhook))]
    public Task<IResult> ReceiveWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = WebhookReceiver.Route)] HttpRequest request, string endpoint, CancellationToken cancellationToken) =>
        receiver.ReceiveAsync(request, endpoint, cancellationToken);

    /// <summary>Says that the process is up, and nothing else.</summary>
    [Function(nameof(Health))]
    public IResult Health([HttpTrigger(AuthorizationLevel.Anonymous, Route = "health")] HttpRequest request) =>
        TypedResults.Text("Healthy");

    /// <summary>Stores what a message of the queue holds.</summary>
    [Function(nameof(StoreEvents))]
    public Task StoreEvents(
        [QueueTrigger(WebhookQueue.Name, Connection = StorageOptions.Connection)] QueueMessage message, CancellationToken cancellationToken) =>
        processor.StoreAsync(message, cancellationToken);

    /// <summary>Keeps what the host gave up, before the host's copy of it expires.</summary>
    [Function(nameof(KeepPoison))]
    public Task KeepPoison(
        [QueueTrigger(WebhookQueue.PoisonName, Connection = StorageOptions.Connection)] QueueMessage message, CancellationToken cancellationToken) =>
        processor.KeepPoisonAsync(message, cancellationToken);

    /// <summary>Measures the queues.</summary>
    [Function(nameof(WatchQueues))]
    public Task WatchQueues([TimerTrigger(QueueWatch.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        queues.WatchAsync(cancellationToken);

    /// <summary>Deletes events that are older than they are kept.</summary>
    [Function(nameof(PurgeExpired))]
    public Task PurgeExpired([TimerTrigger(Retention.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        retention.PurgeExpiredAsync(cancellationToken);
}
