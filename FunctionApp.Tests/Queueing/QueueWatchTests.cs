using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests.Queueing;

public sealed class QueueWatchTests(AzuriteFixture azurite)
{
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task Depth_and_age_are_measured_also_while_every_message_is_hidden()
    {
        var account = azurite.NewAccount();
        using var emitted = new Emitted();
        await using var services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();
        var watch = new QueueWatch(new QueueServiceClient(account), services.GetRequiredService<IngestMetrics>(), time);
        var queue = new QueueClient(account, WebhookQueue.Name);

        Assert.Equal((0, 0), await MeasureAsync());

        await queue.CreateAsync(cancellationToken: Test.Token);
        Assert.Equal((0, 0), await MeasureAsync());

        await queue.SendMessageAsync("one", Test.Token);
        await queue.SendMessageAsync("two", Test.Token);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((2, 5), await MeasureAsync());

        var hidden = (await queue.ReceiveMessagesAsync(2, TimeSpan.FromHours(1), Test.Token)).Value;
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((2, 10), await MeasureAsync());

        foreach (var message in hidden)
        {
            await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);
        }

        Assert.Equal((0, 0), await MeasureAsync());

        async Task<(int Depth, int Minutes)> MeasureAsync()
        {
            await watch.WatchAsync(Test.Token);
            return ((int)Last("queue.depth"), (int)Math.Round(Last("queue.oldest.age") / 60));
        }

        double Last(string instrument) =>
            emitted
                .MeasuredBy(services)
                .Where(line =>
                    line.StartsWith($"metric Smtp2GoIngest {instrument} ", StringComparison.Ordinal)
                    && line.EndsWith($"[queue, {WebhookQueue.Name}]", StringComparison.Ordinal))
                .Select(line => double.Parse(line.Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture))
                .Last();
    }
}
