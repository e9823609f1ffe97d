using Azure;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.Queueing;

public sealed class QueueWatchTests : IDisposable
{
    private readonly Emitted emitted = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();
    private readonly string account;
    private readonly QueueClient queue;
    private TimeSpan shift;

    public QueueWatchTests(AzuriteFixture azurite)
    {
        account = azurite.NewAccount();
        queue = new QueueClient(account, WebhookQueue.Name);
    }

    [Fact]
    public async Task Depth_and_age_are_measured_even_while_every_message_is_hidden()
    {
        Assert.Equal((0, 0), await MeasureAsync());

        await queue.CreateAsync(cancellationToken: Test.Token);
        Assert.Equal((0, 0), await MeasureAsync());

        await queue.SendMessageAsync("one", Test.Token);
        await queue.SendMessageAsync("two", Test.Token);
        shift += TimeSpan.FromMinutes(5);
        Assert.Equal((2, 5), await MeasureAsync());

        var hidden = (await queue.ReceiveMessagesAsync(2, TimeSpan.FromHours(1), Test.Token)).Value;
        shift += TimeSpan.FromMinutes(5);
        Assert.Equal((2, 10), await MeasureAsync());

        foreach (var message in hidden)
        {
            await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);
        }

        Assert.Equal((0, 0), await MeasureAsync());
        Assert.Empty(await MetadataAsync());
    }

    [Fact]
    public async Task Hidden_messages_that_nobody_has_seen_have_no_age_at_first_and_one_from_then_on()
    {
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("one", Test.Token);
        await queue.ReceiveMessageAsync(TimeSpan.FromHours(1), Test.Token);
        shift += TimeSpan.FromMinutes(45);

        Assert.Equal((1, null), await MeasureAsync());
        shift += TimeSpan.FromMinutes(1);
        Assert.Equal((1, 1), await MeasureAsync());
        shift += TimeSpan.FromMinutes(30);
        Assert.Equal((1, 31), await MeasureAsync());
    }

    [Fact]
    public async Task The_age_is_that_of_the_oldest_message_seen_last()
    {
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SetMetadataAsync(
            new Dictionary<string, string> { [QueueLook.Mark] = $"{DateTimeOffset.UtcNow.AddDays(-1):O}", ["owner"] = "ops" }, Test.Token);
        await queue.SendMessageAsync("one", Test.Token);
        shift += TimeSpan.FromMinutes(2);

        Assert.Equal((1, 2), await MeasureAsync());
        await queue.ClearMessagesAsync(Test.Token);
        Assert.Equal((0, 0), await MeasureAsync());
        Assert.Equal([KeyValuePair.Create("owner", "ops")], await MetadataAsync());
    }

    [Fact]
    public async Task The_mark_is_written_only_if_it_changes()
    {
        var writes = 0;
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("one", Test.Token);
        for (var minute = 0; minute < 3; minute++)
        {
            await MeasureAsync((request, send, _) =>
            {
                writes += request.Method == HttpMethod.Put ? 1 : 0;
                return send();
            });
        }

        Assert.Equal(1, writes);
    }

    [Fact]
    public async Task A_mark_that_cannot_be_written_does_not_cost_the_measurement()
    {
        await queue.CreateAsync(cancellationToken: Test.Token);
        await queue.SendMessageAsync("one", Test.Token);
        shift += TimeSpan.FromMinutes(5);

        await Assert.ThrowsAsync<RequestFailedException>(() => MeasureAsync(
            static (request, send, _) =>
                request.Method == HttpMethod.Put ? Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.Forbidden)) : send()));

        Assert.Equal((1, 5), ((int)Last("queue.depth")!, (int)Math.Round(Last("queue.oldest.age")!.Value / 60)));
    }

    public void Dispose()
    {
        emitted.Dispose();
        services.Dispose();
    }

    /// <summary>Each time by a new instance, which knows nothing about the ones before, and by storage's own clock.</summary>
    private async Task<(int Depth, int? Minutes)> MeasureAsync(Meet? meet = null)
    {
        var client = new QueueClientOptions
        {
            Transport = new HttpClientTransport(new StorageWire(StorageWire.Later(shift, meet))),
        };
        var before = emitted.MeasuredBy(services).Count();
        var watch = new QueueWatch(new QueueServiceClient(account, client), services.GetRequiredService<IngestMetrics>());
        await watch.WatchAsync(Test.Token);
        return ((int)Last("queue.depth", before)!, Last("queue.oldest.age", before) is { } age ? (int)Math.Round(age / 60) : null);
    }

    private double? Last(string instrument, int after = 0) =>
        emitted
            .MeasuredBy(services)
            .Skip(after)
            .Where(line =>
                line.StartsWith($"metric Smtp2GoIngest {instrument} ", StringComparison.Ordinal)
                && line.EndsWith($"[queue, {WebhookQueue.Name}]", StringComparison.Ordinal))
            .Select(line => (double?)double.Parse(line.Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture))
            .LastOrDefault();

    private async Task<IDictionary<string, string>> MetadataAsync() => (await queue.GetPropertiesAsync(Test.Token)).Value.Metadata;
}
