using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.FunctionApp;

/// <summary>Every trigger of the app. What they call knows nothing about Azure Functions.</summary>
/// <remarks>
/// The host fills parameters by name from JSON fields and query values, so an HTTP function takes only the request and its route value: a
/// parameter <c>cancellationToken</c> would turn every request with a field of that name into a 500.
/// </remarks>
public sealed class Functions(
    WebhookReceiver receiver,
    WebhookProcessor processor,
    QueueWatch queues,
    Retention retention,
    DayCounting counting,
    ActivityAudit audit)
{
    /// <summary>Anonymous for the platform: the app itself decides who may post, and by which method.</summary>
    [Function(nameof(ReceiveWebhook))]
    public Task<IResult> ReceiveWebhook(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = WebhookReceiver.Route)] HttpRequest request, string endpoint) =>
        receiver.ReceiveAsync(request, endpoint);

    [Function(nameof(Health))]
    public IResult Health([HttpTrigger(AuthorizationLevel.Anonymous, Route = WebhookReceiver.HealthRoute)] HttpRequest request) =>
        WebhookReceiver.Health();

    // A stop cancels running functions, which would cost each message a try and 30 seconds. So this one ignores it and runs to its end.
    [Function(nameof(StoreEvents))]
    public Task StoreEvents([QueueTrigger(WebhookQueue.Name, Connection = StorageOptions.Connection)] QueueMessage message) =>
        processor.StoreAsync(message, CancellationToken.None);

    [Function(nameof(KeepPoison))]
    public Task KeepPoison([QueueTrigger(WebhookQueue.PoisonName, Connection = StorageOptions.Connection)] QueueMessage message) =>
        processor.KeepPoisonAsync(message, CancellationToken.None);

    [Function(nameof(WatchQueues))]
    public Task WatchQueues([TimerTrigger(QueueWatch.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        queues.WatchAsync(cancellationToken);

    [Function(nameof(PurgeExpired))]
    public Task PurgeExpired([TimerTrigger(Retention.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        retention.PurgeExpiredAsync(cancellationToken);

    [Function(nameof(CountDays))]
    public Task CountDays([TimerTrigger(DayCounting.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        counting.CountDueAsync(cancellationToken);

    [Function(nameof(AuditDay))]
    public Task AuditDay([TimerTrigger(ActivityAudit.Schedule)] TimerInfo timer, CancellationToken cancellationToken) =>
        audit.AuditDueAsync(cancellationToken);
}
