using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Lab.WorkerHost;
using Smtp2GoIngest.Lab.WorkerHost.Rpc;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>One worker for the tests of a class, on its own storage account, which can be made to fail.</summary>
public sealed class WorkerFixture(AzuriteFixture azurite) : IAsyncLifetime
{
    private FunctionsHost? host;
    private StorageProxy? proxy;

    internal FunctionsHost Host => host!;

    internal StorageProxy Proxy => proxy!;

    public string Account { get; } = azurite.NewAccount();

    public async ValueTask InitializeAsync()
    {
        proxy = await StorageProxy.StartAsync(Account, Test.Token);
        host = await BuiltWorker.StartAsync(proxy.ConnectionStringOf(Account));
    }

    /// <summary>Sends a message, receives it as the trigger does and calls a function with it. The message is gone afterwards.</summary>
    internal async Task<InvocationResponse> DeliverAsync(string function, string text, string? invocationId = null)
    {
        // Not the app's own queue: other tests of the class post to it.
        var queue = new QueueClient(Account, "delivered");
        await queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync(text, Test.Token);
        var message = (await queue.ReceiveMessageAsync(TimeSpan.FromMinutes(10), Test.Token)).Value;
        Assert.Equal(text, message.Body.ToString());
        var response = await Host.DeliverAsync(function, message, invocationId);
        await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);
        return response;
    }

    internal async Task<TableEntity?> EventAsync(string id)
    {
        var table = new TableClient(Account, EventStore.TableName);
        await table.CreateIfNotExistsAsync(Test.Token);
        return await table.QueryAsync<TableEntity>($"id eq '{id}'", cancellationToken: Test.Token).SingleOrDefaultAsync(Test.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }

        if (proxy is not null)
        {
            await proxy.DisposeAsync();
        }
    }
}
