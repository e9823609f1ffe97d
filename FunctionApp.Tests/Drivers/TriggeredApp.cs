using System.Collections.Concurrent;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests;

public enum Trigger
{
    /// <summary>The self-host's <see cref="QueuePump"/>.</summary>
    Pump,

    /// <summary>The queue trigger of the WebJobs SDK, which the Functions host runs.</summary>
    WebJobs,
}

/// <summary>One call of a queue function.</summary>
internal sealed record Call(string Queue, QueueMessage Message, DateTimeOffset At)
{
    public string Text { get; } = Message.Body.ToString();
}

/// <summary>The app's queue functions as both triggers call them.</summary>
internal sealed class QueueFunctions(WebhookProcessor processor, Func<Call, Task> before)
{
    public ConcurrentQueue<Call> Calls { get; } = new();

    public async Task StoreEventsAsync(QueueMessage message, CancellationToken cancellationToken)
    {
        await CalledAsync(WebhookQueue.Name, message);
        await processor.StoreAsync(message, cancellationToken);
    }

    public async Task KeepPoisonAsync(QueueMessage message, CancellationToken cancellationToken)
    {
        await CalledAsync(WebhookQueue.PoisonName, message);
        await processor.KeepPoisonAsync(message, cancellationToken);
    }

    private Task CalledAsync(string queue, QueueMessage message)
    {
        var call = new Call(queue, message, DateTimeOffset.UtcNow);
        Calls.Enqueue(call);
        return before(call);
    }
}

/// <summary>The app's queue functions behind one of the triggers, with the shipped <c>host.json</c>, on an account in Azurite.</summary>
internal sealed class TriggeredApp : IAsyncDisposable
{
    private readonly IHost host;

    private TriggeredApp(IHost host, string account)
    {
        this.host = host;
        Account = account;
        Queue = new QueueClient(account, WebhookQueue.Name);
        Poison = new QueueClient(account, WebhookQueue.PoisonName);
    }

    public string Account { get; }

    public QueueClient Queue { get; }

    public QueueClient Poison { get; }

    public IServiceProvider Services => host.Services;

    public IReadOnlyCollection<Call> Calls => Services.GetRequiredService<QueueFunctions>().Calls;

    /// <param name="trigger">What calls the functions.</param>
    /// <param name="account">The account; both queues are there.</param>
    /// <param name="queues">
    /// Settings for <c>extensions.queues</c> to use in place of the shipped ones. Unless they say otherwise, an empty queue is polled
    /// often.
    /// </param>
    /// <param name="before">Runs first in each call.</param>
    /// <param name="keepPoison">False leaves the poison queue alone.</param>
    /// <param name="configure">Changes to the services.</param>
    public static async Task<TriggeredApp> StartAsync(
        Trigger trigger,
        string account,
        IReadOnlyDictionary<string, string?>? queues = null,
        Func<Call, Task>? before = null,
        bool keepPoison = true,
        Action<IServiceCollection>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
        [
            new(StorageOptions.Connection, account),
            new("Webhook:Username", IngestApp.Username),
            new("Webhook:Password", IngestApp.Password),
        ]);
        configure?.Invoke(builder.Services);

        // Patient: on a busy machine, the time-out of a write would send a message to poison twice.
        builder.Services.TryAddSingleton(
            StorageClients.Queues(new StorageOptions { ConnectionString = account }, transport: null, isPatient: true));
        builder.Services.AddSmtp2GoIngest(builder.Configuration);
        builder.Services.AddSingleton(s => new QueueFunctions(
            s.GetRequiredService<WebhookProcessor>(), before ?? (_ => Task.CompletedTask)));

        var changed = new Dictionary<string, string?>(StringComparer.Ordinal) { ["maxPollingInterval"] = "00:00:00.100" };
        foreach (var (name, value) in queues ?? new Dictionary<string, string?>())
        {
            changed[name] = value;
        }

        if (trigger == Trigger.WebJobs)
        {
            builder.AddWebJobs(changed, keepPoison ? [typeof(StoreEventsJob), typeof(KeepPoisonJob)] : [typeof(StoreEventsJob)]);
        }
        else
        {
            AddPumps(builder.Services, changed, keepPoison);
        }

        var app = new TriggeredApp(builder.Build(), account);
        await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        await app.Poison.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        await app.host.StartAsync(Test.Token);
        return app;
    }

    /// <summary>Waits until no message is left in the queues, visible or hidden.</summary>
    public async Task DrainedAsync() =>
        await Eventually.Get(async () => await CountAsync(Queue) + await CountAsync(Poison), count => count == 0);

    public static async Task<int> CountAsync(QueueClient queue) =>
        (await queue.GetPropertiesAsync(Test.Token)).Value.ApproximateMessagesCount;

    /// <summary>
    /// Every row and blob in the account as text. Ids and times that storage itself gave to messages are replaced, and its time stamps left
    /// out: only they differ from account to account.
    /// </summary>
    /// <param name="sent">The texts of the messages.</param>
    public async Task<string[]> StoredAsync(string[] sent)
    {
        var stored = new List<string>();
        foreach (var table in (string[])[EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable, DeadLetters.TableName])
        {
            stored.AddRange((await IndexTests.RowsAsync(Account, table)).Select(row => $"{table}: {Describe(row)}"));
        }

        var blobs = new BlobContainerClient(Account, WebhookBlobs.ContainerName);
        if (await blobs.ExistsAsync(Test.Token))
        {
            stored.AddRange(await blobs.GetBlobsAsync(cancellationToken: Test.Token).Select(blob => $"blob: {blob.Name}").ToListAsync());
        }

        return [.. stored.Select(Neutral).Order(StringComparer.Ordinal)];

        string Neutral(string text)
        {
            foreach (var call in Calls)
            {
                text = text
                    .Replace(call.Message.MessageId, $"<{call.Queue} {Array.IndexOf(sent, call.Text)}>", StringComparison.Ordinal)
                    .Replace(EventKeys.Time(call.Message.InsertedOn), "<inserted>", StringComparison.Ordinal)
                    .Replace($"{call.Message.InsertedOn:O}", "<inserted>", StringComparison.Ordinal);
            }

            // The day is part of those times, so it comes last.
            return Calls.Aggregate(text, (replaced, call) =>
                replaced.Replace(EventKeys.Day(call.Message.InsertedOn!.Value), "<day inserted>", StringComparison.Ordinal));
        }
    }

    public async Task StopAsync()
    {
        await host.StopAsync(Test.Token);
        Assert.Empty(Services.GetService<WebJobsFailures>()?.All ?? []);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        host.Dispose();
    }

    private static string Describe(TableEntity row) =>
        string.Join(
            " | ",
            row.Where(column => column.Key is not ("Timestamp" or "odata.etag"))
                .OrderBy(column => column.Key, StringComparer.Ordinal)
                .Select(column => column.Value is DateTimeOffset time ? $"{column.Key}={time:O}" : $"{column.Key}={column.Value}"));

    private static void AddPumps(IServiceCollection services, Dictionary<string, string?> changed, bool keepPoison)
    {
        var options = QueueTriggerOptions.FromHostJson();
        new ConfigurationBuilder().AddInMemoryCollection(changed).Build().Bind(options);
        services.AddSingleton(options);
        Add(WebhookQueue.Name, WebhookQueue.PoisonName, functions => functions.StoreEventsAsync);
        if (keepPoison)
        {
            Add(WebhookQueue.PoisonName, null, functions => functions.KeepPoisonAsync);
        }

        void Add(string queue, string? poison, Func<QueueFunctions, Func<QueueMessage, CancellationToken, Task>> function) =>
            services.AddSingleton<IHostedService>(s =>
            {
                var account = s.GetRequiredService<QueueServiceClient>();
                return new QueuePump(
                    account.GetQueueClient(queue),
                    poison is null ? null : account.GetQueueClient(poison),
                    function(s.GetRequiredService<QueueFunctions>()),
                    options,
                    TimeProvider.System,
                    NullLogger.Instance);
            });
    }
}
