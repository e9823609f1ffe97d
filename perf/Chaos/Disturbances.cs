using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>What goes wrong during a run, each on its own seeded schedule.</summary>
internal sealed class Disturbances(AppProcess app, StorageProxy proxy, RestartedAzurite azurite, Ledger ledger, int seed) : IDisposable
{
    // Poison is thrown in directly, so not while Azurite is stopped.
    private readonly SemaphoreSlim azuriteRuns = new(1);
    private int ends;

    public int AzuriteRestarts { get; private set; }

    public int Outages { get; private set; }

    public int Poison { get; private set; }

    public async Task RunAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        proxy.Choose = new RandomFaults(seed, share: 0.02).Choose;
        var end = Journal.Now + duration;
        await Task.WhenAll(
            RepeatAsync(1, 1, 16, end, KillAsync, cancellationToken),
            RepeatAsync(2, 6, 18, end, TakeServiceAwayAsync, cancellationToken),
            RestartAzuriteAsync(duration, cancellationToken),
            RepeatAsync(3, 1, 4, end, ThrowPoisonAsync, cancellationToken));
        proxy.Choose = static _ => null;
    }

    public void Dispose() => azuriteRuns.Dispose();

    private async Task RepeatAsync(
        int salt,
        double least,
        double most,
        TimeSpan end,
        Func<Random, CancellationToken, Task> disturb,
        CancellationToken cancellationToken)
    {
        var random = new Random(unchecked((seed * 17) + salt));
        while (true)
        {
            var pause = TimeSpan.FromSeconds(least + (random.NextDouble() * (most - least)));
            if (Journal.Now + pause > end)
            {
                return;
            }

            await Task.Delay(pause, cancellationToken);
            await disturb(random, cancellationToken);
        }
    }

    private async Task KillAsync(Random _, CancellationToken cancellationToken)
    {
        // Every fifth time, it may finish what it has begun.
        if (++ends % 5 == 0)
        {
            Journal.Note("the app is told to stop (SIGTERM)");
            await app.TerminateAsync(cancellationToken);
        }
        else
        {
            Journal.Note("the app is killed (SIGKILL)");
            await app.KillAsync();
        }

        await app.StartAsync(cancellationToken);
        Journal.Note("the app is up again");
    }

    private async Task TakeServiceAwayAsync(Random random, CancellationToken cancellationToken)
    {
        var (service, seconds) = ((StorageService)random.Next(3), 1 + (random.NextDouble() * 3));
        await azuriteRuns.WaitAsync(cancellationToken);
        try
        {
            Journal.Note(FormattableString.Invariant($"{service} is down for {seconds:0.0} s"));
            Outages++;
            proxy.SetAway(service, true);
            await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
            proxy.SetAway(service, false);
        }
        finally
        {
            azuriteRuns.Release();
        }
    }

    /// <summary>Once, and twice in a run of more than two minutes.</summary>
    private async Task RestartAzuriteAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var times = duration > TimeSpan.FromMinutes(2) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            await Task.Delay(duration * 0.7 / times, cancellationToken);
            await azuriteRuns.WaitAsync(cancellationToken);
            try
            {
                SetAllAway(true);
                await proxy.QuietAsync(cancellationToken);
                Journal.Note("Azurite is stopped");
                await azurite.StopAsync();
                await azurite.StartAsync(cancellationToken);
                proxy.SendTo(azurite.ConnectionString);
                SetAllAway(false);
                AzuriteRestarts++;
                Journal.Note("Azurite is up again");
            }
            finally
            {
                azuriteRuns.Release();
            }
        }

        void SetAllAway(bool isAway)
        {
            foreach (var service in Enum.GetValues<StorageService>())
            {
                proxy.SetAway(service, isAway);
            }
        }
    }

    private async Task ThrowPoisonAsync(Random random, CancellationToken cancellationToken)
    {
        await azuriteRuns.WaitAsync(cancellationToken);
        try
        {
            var (queue, message) = Next(random, $"poison {Poison++}");
            var client = new QueueClient(azurite.ConnectionString, queue);
            await client.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await client.SendMessageAsync(message, timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: cancellationToken);
        }
        finally
        {
            azuriteRuns.Release();
        }
    }

    private (string Queue, BinaryData Message) Next(Random random, string mark)
    {
        switch (random.Next(7))
        {
            case 0:
                return (WebhookQueue.Name, Unreadable($"{mark}: no JSON"));
            case 1:
                return (WebhookQueue.Name, Unreadable($$"""{"v":2,"webhooks":[],"mark":"{{mark}}"}"""));
            case 2:
                var broken = $$"""{"id":"","mark":"{{mark}}"}""";
                ledger.Unreadable[broken] = true;
                return (WebhookQueue.Name, Envelope.Wrap(Good(), Encoding.UTF8.GetBytes(broken), Good()));
            case 3:
                var lost = NewEntry() with { Blob = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(mark))) };
                ledger.WithoutBlob[lost.Id] = true;
                return (WebhookQueue.Name, Envelope.Wrap(Good(), Envelope.Encode(lost)!));
            case 4:
                return (WebhookQueue.PoisonName, Unreadable($"{mark}: no JSON in the poison queue"));
            case 5:
                return (WebhookQueue.PoisonName, Envelope.Wrap(Good(isPoison: true), Good(isPoison: true)));
            default:
                return (WebhookQueue.Name, Envelope.Wrap(Good(), Good(), Good()));
        }

        BinaryData Unreadable(string text)
        {
            ledger.Unreadable[text] = true;
            return BinaryData.FromString(text);
        }
    }

    /// <summary>A webhook that reaches the queue without being posted, and so counts as acknowledged.</summary>
    private byte[] Good(bool isPoison = false)
    {
        PostedWebhook webhook;
        do
        {
            // The numbers that are skipped are never posted.
            webhook = ledger.Next();
        }
        while (!webhook.IsSmall);

        if (isPoison)
        {
            ledger.Poison[webhook.Number] = true;
        }

        var body = webhook.Body(0);
        ledger.ThrownIn(webhook, body);
        return Envelope.Encode(NewEntry() with { Body = Encoding.UTF8.GetString(body), ContentType = webhook.ContentType })!;
    }

    private static ReceivedWebhook NewEntry() => new(Guid.CreateVersion7().ToString("n"), DateTimeOffset.UtcNow, null, null, null);
}
