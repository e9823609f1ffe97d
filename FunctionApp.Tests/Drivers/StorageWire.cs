using System.Collections.Concurrent;
using System.Xml.Linq;
using Azure;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>Decides about one request to storage: whether to send it on, before or after something else, and what to answer.</summary>
internal delegate Task<HttpResponseMessage> Meet(
    HttpRequestMessage request, Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken);

/// <summary>Sits between the app's own storage clients, below their retries, and Azurite.</summary>
internal sealed class StorageWire(Meet meet) : DelegatingHandler(new SocketsHttpHandler { UseProxy = false, UseCookies = false })
{
    /// <summary>Puts it between an app and its account.</summary>
    /// <param name="isPatient">True if a slow write of a message must not be sent again.</param>
    public static Action<IServiceCollection> Between(string connectionString, Meet meet, bool isPatient = false) => services =>
    {
        var options = new StorageOptions { ConnectionString = connectionString };
        var transport = new HttpClientTransport(new StorageWire(meet));
        services.AddSingleton(transport);
        services.AddSingleton(StorageClients.Queues(options, transport, isPatient));
        services.AddSingleton(StorageClients.Tables(options, transport));
        services.AddSingleton(StorageClients.Blobs(options, transport));
    };

    /// <summary>Makes storage's own clock show another time.</summary>
    public static Action<IServiceCollection> Shifted(string connectionString, Func<TimeSpan> shift) =>
        Between(connectionString, (request, send, token) => Later(shift())(request, send, token));

    /// <summary>Sends each request on, or lets another decide about it, and makes storage's own clock show a later time.</summary>
    public static Meet Later(TimeSpan shift, Meet? meet = null) => async (request, send, token) =>
    {
        var answer = await (meet is null ? send() : meet(request, send, token));
        answer.Headers.Date += shift;
        return answer;
    };

    /// <summary>The pump's poll of a queue; how many there are depends on time.</summary>
    public static bool IsPoll(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get && request.RequestUri!.AbsolutePath.EndsWith("/messages", StringComparison.Ordinal);

    /// <summary>The renewal of a lease, or its end after a failure.</summary>
    public static bool IsRenewal(HttpRequestMessage request) =>
        request.Method == HttpMethod.Put && request.RequestUri!.AbsolutePath.Contains("/messages/", StringComparison.Ordinal);

    /// <summary>The insert of an event's own row, alone or in a transaction.</summary>
    public static async Task<bool> IsInsertAsync(HttpRequestMessage request) =>
        request.Method == HttpMethod.Post
        && (request.RequestUri!.AbsolutePath.EndsWith("/Smtp2GoEvents", StringComparison.Ordinal)
            || (request.RequestUri.AbsolutePath.EndsWith("/$batch", StringComparison.Ordinal)
                && (await request.Content!.ReadAsStringAsync()).Contains("/Smtp2GoEvents?", StringComparison.Ordinal)));

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        meet(request, () => base.SendAsync(request, cancellationToken), cancellationToken);
}

/// <summary>Lets a number of writes take effect and then nothing more, not even a read, as if the process had died there.</summary>
internal sealed class CrashPoint(int writes)
{
    // The receipt of each message that was fetched, by the path of the message.
    private readonly ConcurrentDictionary<string, string> held = new();

    private int done;

    /// <summary>False while the writes do not count yet.</summary>
    public bool IsArmed { get; set; } = true;

    public bool HasCrashed { get; private set; }

    /// <summary>How many writes took effect before the crash.</summary>
    public int Writes => done;

    public async Task<HttpResponseMessage> MeetAsync(
        HttpRequestMessage request, Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        ThrowIfCrashed();
        var answer = await send();
        await NoteReceiptsAsync(request, answer);
        if (IsArmed
            && answer.IsSuccessStatusCode
            && request.Method != HttpMethod.Get
            && request.Method != HttpMethod.Head
            && !StorageWire.IsRenewal(request)
            && Interlocked.Increment(ref done) == writes)
        {
            HasCrashed = true;
        }

        ThrowIfCrashed();
        return answer;
    }

    /// <summary>
    /// Ends the leases of the dead process at once: nobody has to wait for them, and they may be so long that no slow machine loses one.
    /// </summary>
    public async Task ReleaseAsync(string connectionString)
    {
        var account = new QueueServiceClient(connectionString);
        foreach (var (path, receipt) in HasCrashed ? [.. held] : Array.Empty<KeyValuePair<string, string>>())
        {
            var parts = path.Split('/');
            try
            {
                await account.GetQueueClient(parts[^3])
                    .UpdateMessageAsync(parts[^1], receipt, visibilityTimeout: TimeSpan.Zero, cancellationToken: Test.Token);
            }
            catch (RequestFailedException e) when (e.Status is 400 or 404)
            {
                // It was deleted, or its lease ended before.
            }
        }
    }

    private async Task NoteReceiptsAsync(HttpRequestMessage request, HttpResponseMessage answer)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (!answer.IsSuccessStatusCode)
        {
            return;
        }

        if (StorageWire.IsPoll(request))
        {
            await answer.Content.LoadIntoBufferAsync();
            foreach (var message in XDocument.Parse(await answer.Content.ReadAsStringAsync()).Descendants("QueueMessage"))
            {
                // Without a receipt, it was only looked at.
                if (message.Element("PopReceipt") is { } receipt)
                {
                    held[$"{path}/{message.Element("MessageId")!.Value}"] = receipt.Value;
                }
            }
        }
        else if (StorageWire.IsRenewal(request))
        {
            held[path] = answer.Headers.GetValues("x-ms-popreceipt").Single();
        }
    }

    // An exception that no storage client retries.
    private void ThrowIfCrashed()
    {
        if (HasCrashed)
        {
            throw new InvalidOperationException("The process is dead.");
        }
    }
}
