using Smtp2GoIngest.Lab.FaultProxy;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>A captive portal or a proxy answers in storage's place with a success status, although nothing was done.</summary>
public sealed class FalseAnswerTests(AzuriteFixture azurite)
{
    private static readonly Scenario All = Scenario.All[Scenario.Mixed] with
    {
        Posts = [$"event=open&id=3&email_id=e3&rcpt=a@x.example&message={new string('m', 50_000)}"],
        Events = ["1", "2", "3"],
        IsFirst = true,
    };

    [Theory]
    [InlineData("PutMessage", 200)]
    [InlineData("PutMessage", 201)]
    [InlineData("PutMessage", 204)]
    [InlineData("PutBlob", 200)]
    [InlineData("PutBlob", 201)]
    [InlineData("GetMessages", 200)]
    [InlineData("GetBlob", 200)]
    [InlineData("InsertEntity", 200)]
    [InlineData("InsertEntity", 201)]
    [InlineData("InsertEntity", 204)]
    [InlineData("Batch", 200)]
    [InlineData("Batch", 202)]
    [InlineData("Batch", 204)]
    [InlineData("GetEntity", 200)]
    [InlineData("GetEntity", 204)]
    [InlineData("InsertOrReplaceEntity", 200)]
    [InlineData("InsertOrReplaceEntity", 204)]
    [InlineData("CreateTable", 201)]
    [InlineData("DeleteMessage", 204)]
    public async Task An_HTML_page_is_not_a_success(string operation, int status) =>
        await AssertStoredInTheEndAsync(operation, Fault.CaptivePortal(status));

    [Theory]
    [InlineData("PutMessage", 201)]
    [InlineData("GetMessages", 200)]
    [InlineData("Batch", 202)]
    [InlineData("GetEntity", 200)]
    public async Task An_empty_object_is_not_a_success(string operation, int status) =>
        await AssertStoredInTheEndAsync(operation, Fault.Garbage(status, "application/json", "{}"));

    private async Task AssertStoredInTheEndAsync(string operation, Fault fault)
    {
        var account = azurite.NewAccount();
        await All.EnqueueAsync(account);
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        var left = 1;
        proxy.Choose = request => request.Operation == operation && Interlocked.Decrement(ref left) >= 0 ? fault : null;

        // A message that cannot be deleted comes again when its lease ends.
        var lease = TimeSpan.FromSeconds(operation == "DeleteMessage" ? 5 : 60);
        await using var app = await IngestApp.StartAsync(
            proxy.ConnectionStringOf(account), configure: services => IngestApp.UseLease(services, lease));

        await All.PostAsync(app);
        await app.DrainedAsync();

        Assert.InRange(left, int.MinValue, 0);
        await StoredState.AssertAsync(app, account, All.Events, All.DeadLetters);
    }
}
