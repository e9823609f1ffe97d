using System.Collections.Concurrent;
using System.Net;
using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab.FaultProxy;

namespace Smtp2GoIngest.Tests;

/// <summary>Each fault of the proxy really happens: whether the request took effect is checked in Azurite itself.</summary>
public sealed class StorageProxyTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> operations = new();
    private string direct = string.Empty;
    private StorageProxy proxy = null!;

    private Fault? next;

    public async ValueTask InitializeAsync()
    {
        direct = azurite.NewAccount();
        await Queue(direct).CreateAsync(cancellationToken: Test.Token);
        proxy = await StorageProxy.StartAsync(direct, Test.Token);
        proxy.Choose = request =>
        {
            operations.Enqueue($"{request.Service} {request.Operation} {request.Resource}");
            return next;
        };
    }

    public ValueTask DisposeAsync() => proxy.DisposeAsync();

    [Fact]
    public async Task Without_a_fault_everything_passes_and_has_the_name_that_Azure_gives_it()
    {
        var queue = Queue(Proxied);
        var sent = (await queue.SendMessageAsync("one")).Value;
        _ = await queue.PeekMessagesAsync(1);
        var message = Assert.Single((await queue.ReceiveMessagesAsync(1)).Value);
        var updated = (await queue.UpdateMessageAsync(message.MessageId, message.PopReceipt, "two")).Value;
        _ = await queue.GetPropertiesAsync();
        await queue.DeleteMessageAsync(sent.MessageId, updated.PopReceipt);

        var table = new TableClient(Proxied, "Rows", Once(new TableClientOptions()));
        await table.CreateAsync();
        await table.AddEntityAsync(new TableEntity("a b@c", "1:2,3") { ["Text"] = "é" });
        await table.UpsertEntityAsync(new TableEntity("a b@c", "2:3'4"), TableUpdateMode.Replace);
        await table.SubmitTransactionAsync([
            new(TableTransactionActionType.Add, new TableEntity("p", "1")),
            new(TableTransactionActionType.Add, new TableEntity("p", "2")),
        ]);
        Assert.Equal("é", (await table.GetEntityAsync<TableEntity>("a b@c", "1:2,3")).Value.GetString("Text"));
        Assert.Equal(4, await table.QueryAsync<TableEntity>().CountAsync());
        await table.DeleteEntityAsync("p", "1");

        var container = new BlobContainerClient(Proxied, "blobs", Once(new BlobClientOptions()));
        await container.CreateAsync();
        var blob = container.GetBlobClient("one");
        await blob.UploadAsync(BinaryData.FromString("text"));
        await blob.SetMetadataAsync(new Dictionary<string, string>());
        Assert.Equal("text", (await blob.DownloadContentAsync()).Value.Content.ToString());
        Assert.Equal("one", Assert.Single(await container.GetBlobsAsync().ToListAsync()).Name);
        await blob.DeleteAsync();

        Assert.Equal(
            [
                "Queue PutMessage pumped",
                "Queue PeekMessages pumped",
                "Queue GetMessages pumped",
                "Queue UpdateMessage pumped",
                "Queue GetQueueMetadata pumped",
                "Queue DeleteMessage pumped",
                "Table CreateTable Tables",
                "Table InsertEntity Rows",
                "Table InsertOrReplaceEntity Rows",
                "Table Batch ",
                "Table GetEntity Rows",
                "Table QueryEntities Rows",
                "Table DeleteEntity Rows",
                "Blob CreateContainer blobs",
                "Blob PutBlob blobs",
                "Blob SetBlobMetadata blobs",
                "Blob GetBlob blobs",
                "Blob ListBlobs blobs",
                "Blob DeleteBlob blobs",
            ],
            operations);
        Assert.Empty(proxy.Injected);
    }

    [Fact]
    public async Task Dropped_before_breaks_the_connection_and_has_no_effect()
    {
        next = Fault.DropBefore;

        await Assert.ThrowsAsync<RequestFailedException>(SendAsync);

        Assert.Equal(0, await CountAsync());
        Assert.Equal(1, proxy.Injected[new FaultCount(StorageService.Queue, "PutMessage", FaultKind.DropBefore)]);
    }

    [Theory]
    [InlineData(FaultKind.DropAfter)]
    [InlineData(FaultKind.CutAnswer)]
    public async Task Dropped_after_or_in_the_middle_of_the_answer_fails_and_took_effect(FaultKind kind)
    {
        next = kind == FaultKind.DropAfter ? Fault.DropAfter : Fault.CutAnswer;

        await Assert.ThrowsAnyAsync<Exception>(SendAsync);

        Assert.Equal(1, await CountAsync());
        Assert.Equal(1, proxy.Injected[new FaultCount(StorageService.Queue, "PutMessage", kind)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_hangs_never_answers_and_took_effect_or_not(bool takesEffect)
    {
        next = takesEffect ? Fault.HangAfter : Fault.HangBefore;
        using var patience = new CancellationTokenSource();

        var sending = Queue(Proxied).SendMessageAsync("one", patience.Token);
        await Eventually.Get(() => Task.FromResult(proxy.Injected.Count), count => count == 1);
        await Eventually.Get(CountAsync, count => count == (takesEffect ? 1 : 0));
        Assert.False(sending.IsCompleted);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Equal(1, proxy.Injected[new FaultCount(StorageService.Queue, "PutMessage", FaultKind.Hang)]);
    }

    [Theory]
    [InlineData(500, "InternalError", false)]
    [InlineData(500, "OperationTimedOut", true)]
    [InlineData(503, "ServerBusy", false)]
    [InlineData(429, "TooManyRequests", false)]
    [InlineData(409, "QueueBeingDeleted", false)]
    public async Task An_error_has_Azures_status_and_code(int status, string code, bool takesEffect)
    {
        next = Fault.Error(status, code, takesEffect);

        var failed = await Assert.ThrowsAsync<RequestFailedException>(SendAsync);

        Assert.Equal((status, code), (failed.Status, failed.ErrorCode));
        Assert.Equal(takesEffect ? 1 : 0, await CountAsync());
    }

    [Fact]
    public async Task A_conflict_in_a_table_looks_like_Azures_for_an_insert_and_for_a_transaction()
    {
        var table = new TableClient(Proxied, "Rows", Once(new TableClientOptions()));
        await table.CreateAsync();
        next = Fault.Error(409, "EntityAlreadyExists");

        var insert = await Assert.ThrowsAsync<RequestFailedException>(() => table.AddEntityAsync(new TableEntity("p", "1")));
        var transaction = await Assert.ThrowsAsync<TableTransactionFailedException>(() =>
            table.SubmitTransactionAsync([
                new(TableTransactionActionType.Add, new TableEntity("p", "1")),
                new(TableTransactionActionType.Add, new TableEntity("p", "2")),
            ]));

        Assert.Equal((409, "EntityAlreadyExists"), (insert.Status, insert.ErrorCode));
        Assert.Equal(
            (409, "EntityAlreadyExists", 0), (transaction.Status, transaction.ErrorCode, transaction.FailedTransactionActionIndex));
    }

    [Fact]
    public async Task Garbage_is_answered_in_place_of_the_service()
    {
        next = Fault.CaptivePortal();
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri($"{new QueueClient(Proxied, "pumped").Uri}?comp=metadata"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("<!DOCTYPE html>", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<RequestFailedException>(SendAsync);
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task A_delay_comes_before_the_effect_and_the_answer_is_the_real_one()
    {
        next = Fault.Delay(TimeSpan.FromSeconds(2));

        var sent = SendAsync();

        await Eventually.Get(() => Task.FromResult(proxy.Injected.Count), count => count == 1);
        Assert.Equal(0, await CountAsync());
        await sent;
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task A_service_that_is_down_breaks_every_connection_until_it_is_back_and_the_others_answer()
    {
        proxy.SetAway(StorageService.Queue, true);

        await Assert.ThrowsAsync<RequestFailedException>(SendAsync);
        await new TableClient(Proxied, "Rows").CreateAsync();
        proxy.SetAway(StorageService.Queue, false);
        await SendAsync();

        Assert.Equal(1, await CountAsync());
        Assert.Equal(1, proxy.Injected[new FaultCount(StorageService.Queue, "PutMessage", FaultKind.Away)]);
    }

    [Fact]
    public async Task Requests_go_to_another_destination_when_told_to()
    {
        var wrong = direct.Replace(new QueueClient(direct, "x").Uri.Authority, "127.0.0.1:9", StringComparison.Ordinal);
        proxy.SendTo(wrong);
        var failed = await Assert.ThrowsAsync<RequestFailedException>(SendAsync);
        Assert.Equal(502, failed.Status);

        proxy.SendTo(direct);
        await SendAsync();

        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public void The_same_seed_gives_the_same_faults_whatever_other_operations_come_between()
    {
        var put = new StorageRequest(StorageService.Queue, "PutMessage", "q", "q/messages", ReadOnlyMemory<byte>.Empty);
        var get = put with { Operation = "GetMessages" };
        var (first, second, other) = (new RandomFaults(7, 0.3), new RandomFaults(7, 0.3), new RandomFaults(8, 0.3));

        var expected = Enumerable.Range(0, 2000).Select(_ => first.Choose(put)?.Kind).ToList();
        var again = Enumerable.Range(0, 2000).Select(i =>
        {
            _ = i % 3 == 0 ? second.Choose(get) : null;
            return second.Choose(put)?.Kind;
        }).ToList();

        Assert.Equal(expected, again);
        Assert.NotEqual(expected, Enumerable.Range(0, 2000).Select(_ => other.Choose(put)?.Kind));
        Assert.InRange(expected.Count(kind => kind is not null), 500, 700);
        Assert.Equal(Enum.GetValues<FaultKind>().Except([FaultKind.Away]).Order(), expected.OfType<FaultKind>().Distinct().Order());
    }

    private string Proxied => proxy.ConnectionStringOf(direct);

    private Task SendAsync() => Queue(Proxied).SendMessageAsync("one", Test.Token);

    private async Task<int> CountAsync() =>
        (await Queue(direct).GetPropertiesAsync(Test.Token)).Value.ApproximateMessagesCount;

    private static QueueClient Queue(string connectionString) => new(connectionString, "pumped", Once(new QueueClientOptions()));

    private static T Once<T>(T options)
        where T : ClientOptions
    {
        options.Retry.MaxRetries = 0;
        return options;
    }
}
