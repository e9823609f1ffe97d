using System.Net.Http.Headers;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests;

/// <summary>Drives the whole app, self-hosted on a real socket, with its own storage account in Azurite.</summary>
internal sealed class IngestApp : IAsyncDisposable
{
    public const string Username = "smtp2go";
    public const string Password = "right-horse-battery-staple";

    /// <summary>How long SMTP2GO waits for an answer.</summary>
    public static readonly TimeSpan Smtp2GoTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// For tests about time-outs: what the app has unless told otherwise. Other tests allow the longest, for a busy machine.
    /// </summary>
    public static readonly Dictionary<string, string?> ShippedTimeout = new()
    {
        [EnqueueTimeout] = $"{new WebhookOptions().EnqueueTimeout}",
    };

    private const string EnqueueTimeout = "Webhook:EnqueueTimeout";

    private readonly WebApplication app;
    private readonly QueueClient poison;

    private IngestApp(WebApplication app, string connectionString)
    {
        this.app = app;
        Url = new Uri(app.Urls.Single());
        Client = new HttpClient { BaseAddress = Url };
        Queue = new QueueClient(connectionString, WebhookQueue.Name);
        poison = new QueueClient(connectionString, WebhookQueue.PoisonName);
        Blobs = new BlobContainerClient(connectionString, WebhookBlobs.ContainerName);
        Events = new TableClient(connectionString, EventStore.TableName);
        DeadLetters = new TableClient(connectionString, Smtp2GoIngest.Storing.DeadLetters.TableName);
    }

    public Uri Url { get; }

    public HttpClient Client { get; }

    public QueueClient Queue { get; }

    public BlobContainerClient Blobs { get; }

    public TableClient Events { get; }

    public TableClient DeadLetters { get; }

    public IServiceProvider Services => app.Services;

    /// <summary>Queue trigger numbers that suit most tests: a message that failed comes again at once.</summary>
    public static QueueTriggerOptions Trigger => new()
    {
        BatchSize = 16,
        NewBatchThreshold = 8,
        VisibilityTimeout = TimeSpan.Zero,
        MaxDequeueCount = 100,
        MaxPollingInterval = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>
    /// Another lease than a minute, so that what a dead process was handling comes back soon; and another number of tries.
    /// </summary>
    public static void UseLease(IServiceCollection services, TimeSpan lease, int tries = 100)
    {
        var trigger = Trigger;
        (trigger.Lease, trigger.MaxDequeueCount, trigger.MaxPollingInterval) = (lease, tries, TimeSpan.FromMilliseconds(200));
        services.AddSingleton(trigger);
    }

    public static async Task<IngestApp> StartAsync(
        string connectionString,
        IReadOnlyDictionary<string, string?>? settings = null,
        Action<IServiceCollection>? configure = null,
        bool pump = true,
        bool timers = false)
    {
        var all = new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["EventStorage"] = connectionString,
            ["Webhook:Username"] = Username,
            ["Webhook:Password"] = Password,
            [EnqueueTimeout] = "00:00:08",
            ["Logging:Console:LogLevel:Default"] = "None",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string?>())
        {
            all[name] = value;
        }

        var built = SelfHostedApp.Build([], all, builder =>
        {
            builder.Services.AddSingleton(Trigger);

            // Their schedules follow the real clock: a test that runs at a full minute would have requests that no other run has.
            var scheduled = builder.Services.Where(IsTimer).ToList();
            Assert.Equal(4, scheduled.Count);
            foreach (var timer in timers ? [] : scheduled)
            {
                builder.Services.Remove(timer);
            }

            if (!pump)
            {
                builder.Services.RemoveAll<IHostedService>();
                builder.Services.AddHostedService(s => s.GetRequiredService<SourceAllowList>());
            }

            configure?.Invoke(builder.Services);
        });
        await built.StartAsync(Test.Token);
        return new IngestApp(built, connectionString);
    }

    private static bool IsTimer(ServiceDescriptor service) =>
        service.ImplementationFactory is Func<IServiceProvider, TimerPump>;

    public static AuthenticationHeaderValue Basic(string username, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}")));

    public Task<HttpResponseMessage> PostAsync(string body, string? contentType = null) =>
        PostAsync(Encoding.UTF8.GetBytes(body), contentType);

    public Task<HttpResponseMessage> PostAsync(byte[] body, string? contentType = null) => PostAsync(Client, body, contentType);

    /// <summary>Posts to the app in any host, with the correct secret.</summary>
    public static async Task<HttpResponseMessage> PostAsync(HttpClient client, byte[] body, string? contentType = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "webhook/smtp2go") { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = Basic(Username, Password);
        request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        return await client.SendAsync(request, Test.Token);
    }

    /// <summary>Posts a body that must be acknowledged.</summary>
    public async Task AcknowledgedAsync(string body, string? contentType = null) =>
        await AcknowledgedAsync(Encoding.UTF8.GetBytes(body), contentType);

    public async Task AcknowledgedAsync(byte[] body, string? contentType = null)
    {
        using var answer = await PostAsync(body, contentType);
        Assert.Equal(200, (int)answer.StatusCode);
    }

    /// <summary>Waits until no message is left, visible or hidden.</summary>
    public async Task DrainedAsync() => await Eventually.Get(WaitingAsync, count => count == 0);

    /// <summary>How many messages are left in both queues, visible or hidden.</summary>
    public Task<int> WaitingAsync() => QueueDrain.CountAsync([Queue, poison], Test.Token);

    public async Task<List<TableEntity>> EventsAsync() => await RowsAsync(Events);

    public async Task<List<TableEntity>> DeadLettersAsync() => await RowsAsync(DeadLetters);

    /// <summary>Posts, waits, and returns the one row that was stored.</summary>
    public async Task<TableEntity> StoreAsync(string body, string? contentType = null)
    {
        await AcknowledgedAsync(body, contentType);
        await DrainedAsync();
        Assert.Empty(await DeadLettersAsync());
        return Assert.Single(await EventsAsync());
    }

    /// <summary>Stores one message from the queue, for an app without pumps.</summary>
    public async Task StoreQueuedAsync()
    {
        var message = (await Queue.ReceiveMessageAsync(cancellationToken: Test.Token)).Value;
        await Services.GetRequiredService<WebhookProcessor>().StoreAsync(message, Test.Token);
        await Queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);
    }

    /// <summary>The exact bytes that a row says it was built from.</summary>
    public async Task<byte[]> BodyOfAsync(TableEntity row) =>
        row.GetString("Body") is { } text
            ? Encoding.UTF8.GetBytes(text)
            : (await Blobs.GetBlobClient(row.GetString("BodyBlob")).DownloadContentAsync(Test.Token)).Value.Content.ToArray();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync(Test.Token);
        await app.DisposeAsync();
    }

    private static async Task<List<TableEntity>> RowsAsync(TableClient table)
    {
        try
        {
            return await table.QueryAsync<TableEntity>(cancellationToken: Test.Token).ToListAsync();
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return [];
        }
    }
}
