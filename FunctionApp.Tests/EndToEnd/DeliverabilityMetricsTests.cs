using Azure;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>What the alerts on deliverability read: each event counts once, and no test event counts.</summary>
public sealed class DeliverabilityMetricsTests(AzuriteFixture azurite) : IDisposable
{
    private const string Bounce =
        "event=bounce&id=1&time=2026-03-24T08%3A23%3A19Z&email_id=1w4x2g-FnQW0hPru7M-NRRC&rcpt=ada%40example.org&bounce=hard"
        + "&host=mx.example.org+%5B203.0.113.22%5D&message=550+5.1.1+No+such+user";

    private const string Reject =
        "event=reject&id=2&time=2026-03-24T08%3A23%3A19Z&rcpt=ada%40example.org&context=submission&message=Sender+domain+is+not+verified";

    private const string Delivered =
        "event=delivered&id=3&time=2026-03-24T08%3A23%3A19Z&email_id=1w4x2g-FnQW0hPru7M-NRRC&rcpt=ada%40example.org&message=250+OK";

    private const string OfTheTestButton = "&subject=Mail+test+-+please+ignore&sendtime=2015-08-04T22%3A39%3A34Z";

    private static readonly string[] OfDeliverability = ["events.bounced", "events.rejected", "events.delivery.duration"];

    private readonly Emitted emitted = new();

    [Fact]
    public async Task A_bounce_and_a_reject_count_by_their_class_and_a_delivery_by_its_time()
    {
        await using var app = await StartAsync();

        await StoreAsync(app, Bounce, Bounce.Replace("=1&", "=4&", StringComparison.Ordinal)
            .Replace("hard", "soft", StringComparison.Ordinal), Reject, Delivered);

        Assert.Equal(
            [
                "events.bounced 1 [bounce, hard] [class, invalid-recipient]", "events.bounced 1 [bounce, soft] [class, invalid-recipient]",
                "events.delivery.duration 5 [over, 0]", "events.rejected 1 [fault, sender] [class, sender-not-verified]",
            ],
            Measured(app));
    }

    [Fact]
    public async Task An_event_that_SMTP2GO_sends_again_counts_once()
    {
        await using var app = await StartAsync();

        await StoreAsync(app, Bounce, Reject, Delivered);
        var once = Measured(app);
        await StoreAsync(app, Bounce, Reject, Delivered, Bounce);

        Assert.Contains("events.bounced", string.Join('\n', once), StringComparison.Ordinal);
        Assert.Equal(once, Measured(app));
    }

    [Fact]
    public async Task A_message_that_comes_again_counts_once_even_if_its_first_try_failed_halfway()
    {
        var account = azurite.NewAccount();
        var failures = 0;
        var fail = StorageFault.InTables(account, request =>
            request.Uri.Path.Contains("ByDay", StringComparison.Ordinal) && Interlocked.Increment(ref failures) == 1
                ? new RequestFailedException(500, "no", "InternalError", null)
                : null);
        await using var app = await IngestApp.StartAsync(account, pump: false, configure: services =>
        {
            fail(services);
            emitted.AddTo(services);
        });
        await app.AcknowledgedAsync(Bounce);
        QueueMessage message = await app.Queue.ReceiveMessageAsync(cancellationToken: Test.Token);
        var processor = app.Services.GetRequiredService<WebhookProcessor>();

        await Assert.ThrowsAnyAsync<Exception>(() => processor.StoreAsync(message, Test.Token));
        await processor.StoreAsync(message, Test.Token);
        await processor.StoreAsync(message, Test.Token);

        Assert.Single(Measured(app));
    }

    [Fact]
    public async Task An_event_of_the_test_button_counts_only_as_stored_and_marked()
    {
        await using var app = await StartAsync();

        await StoreAsync(app, Bounce + OfTheTestButton, Reject + OfTheTestButton, Delivered + OfTheTestButton);

        Assert.Empty(Measured(app));
        Assert.Equal(
            ["events.stored 1 [event, bounce] [test, True]", "events.stored 1 [event, delivered] [test, True]",
                "events.stored 1 [event, reject] [test, True]"],
            Measured(app, "events.stored"));
    }

    [Fact]
    public async Task No_value_that_a_sender_chooses_is_a_tag()
    {
        const string Needle = "needle9917";
        await using var app = await StartAsync();

        await StoreAsync(
            app,
            $"event=bounce&id=1&bounce={Needle}&rcpt={Needle}%40{Needle}.example&message=550+{Needle}&host={Needle}&email_id={Needle}",
            $"event=reject&id=2&rcpt={Needle}%40{Needle}.example&message={Needle}&sender={Needle}%40{Needle}.example",
            $"event=delivered&id=3&rcpt={Needle}%40{Needle}.example&email_id={Needle}&message={Needle}",
            $"event={Needle}&id=4");

        Assert.Contains(Measured(app), line => line.StartsWith("events.bounced 1 [bounce, soft] ", StringComparison.Ordinal));
        Assert.DoesNotContain(emitted.MeasuredBy(app.Services), line => line.Contains(Needle, StringComparison.Ordinal));
    }

    public void Dispose() => emitted.Dispose();

    private Task<IngestApp> StartAsync() => IngestApp.StartAsync(azurite.NewAccount(), configure: emitted.AddTo);

    private static async Task StoreAsync(IngestApp app, params string[] bodies)
    {
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
        Assert.Empty(await app.DeadLettersAsync());
    }

    private IEnumerable<string> Measured(IngestApp app, params string[] names) => [.. emitted.MeasuredBy(app.Services)
        .Select(line => line["metric Smtp2GoIngest ".Length..])
        .Where(line => (names.Length > 0 ? names : OfDeliverability).Any(name => line.StartsWith($"{name} ", StringComparison.Ordinal)))
        .Order(StringComparer.Ordinal)];
}
