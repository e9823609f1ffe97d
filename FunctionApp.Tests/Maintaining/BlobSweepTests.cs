using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;
using Smtp2GoIngest.Tests.Tool;

namespace Smtp2GoIngest.Tests.Maintaining;

/// <summary>A body is deleted when nothing refers to it any more, even on a busy queue, and never earlier.</summary>
public sealed class BlobSweepTests(AzuriteFixture azurite)
{
    private static readonly string Padding = new('m', 50_000);

    [Fact]
    public async Task Only_a_blob_that_nothing_refers_to_and_that_is_old_enough_is_swept()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        var orphan = await Blobs(app).WriteAsync("orphan"u8.ToArray(), Test.Token);
        await app.AcknowledgedAsync($"event=open&email_id=e1&message={Padding}");
        await app.StoreQueuedAsync();
        await app.AcknowledgedAsync($"event=open&email_id=it's&message={Padding}");
        await app.StoreQueuedAsync();
        await app.AcknowledgedAsync($"no=event&message={Padding}");
        await app.StoreQueuedAsync();

        Assert.Equal(0, await SweepAsync(app, DateTimeOffset.UtcNow.AddHours(-1)));
        Assert.Equal(1, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(1)));

        Assert.Null(await Blobs(app).ReadAsync(orphan, Test.Token));
        foreach (var row in (await app.EventsAsync()).Concat(await app.DeadLettersAsync()))
        {
            Assert.NotEmpty(await app.BodyOfAsync(row));
        }
    }

    [Fact]
    public async Task A_blob_named_only_in_the_text_of_an_unreadable_dead_letter_is_kept_until_that_is_dropped()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&message={Padding}");
        var message = (await app.Queue.ReceiveMessageAsync(cancellationToken: Test.Token)).Value;
        await app.Queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);

        // As after rolling back from a version that writes another envelope.
        await app.Queue.SendMessageAsync(message.Body.ToString().Replace("\"v\":1", "\"v\":2", StringComparison.Ordinal), Test.Token);
        await app.StoreQueuedAsync();
        Assert.Equal("unreadable", Assert.Single(await app.DeadLettersAsync()).GetString("Reason"));

        await Task.Delay(TimeSpan.FromSeconds(2.1), Test.Token);
        Assert.Equal(0, await SweepAsync(app, await PassedAsync(app)));
        var drop = await ToolRun.RunAsync(account, null, "dead-letters", "drop", "--reason", "unreadable", "--yes");
        Assert.Equal(0, drop.ExitCode);

        // The drop has touched it, so that it is looked at again.
        Assert.Equal(1, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(2)));
    }

    [Fact]
    public async Task The_bodies_of_an_unreadable_dead_letter_are_touched_when_it_is_replayed()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&message={Padding}");
        var message = (await app.Queue.ReceiveMessageAsync(cancellationToken: Test.Token)).Value;
        await app.Queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, Test.Token);
        await app.Queue.SendMessageAsync(message.Body.ToString().Replace("\"v\":1", "\"v\":2", StringComparison.Ordinal), Test.Token);
        await app.StoreQueuedAsync();
        var letter = Assert.Single(await app.DeadLettersAsync());
        var before = Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Properties.LastModified;
        await Task.Delay(TimeSpan.FromSeconds(1.1), Test.Token);

        await app.Services.GetRequiredService<DeadLetters>()
            .ReplayAsync(letter, app.Services.GetRequiredService<WebhookQueue>(), Test.Token);

        Assert.True(Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Properties.LastModified > before);
    }

    [Fact]
    public async Task While_an_old_message_waits_nothing_is_swept_and_that_is_measured()
    {
        using var emitted = new Emitted();
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), configure: emitted.AddTo, pump: false);
        await Blobs(app).WriteAsync("orphan"u8.ToArray(), Test.Token);
        await app.AcknowledgedAsync("event=open&id=1");

        Assert.Equal(0, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(1)));

        // It is hidden and nobody knows its age, so it counts as old.
        await app.Queue.ReceiveMessageAsync(TimeSpan.FromHours(1), Test.Token);
        Assert.Equal(0, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(-1)));
        Assert.Equal(
            2,
            emitted.MeasuredBy(app.Services)
                .Count(line => line.StartsWith("metric Smtp2GoIngest blobs.sweep.skipped", StringComparison.Ordinal)));
        Assert.Equal(2, emitted.Lines.Count(line => line.StartsWith("log Warning 321 ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task On_a_queue_that_is_never_empty_the_body_of_an_expired_event_is_deleted_with_it()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&rcpt=a@x&time=2026-01-02T03:04:05Z&message={Padding}");
        await app.StoreQueuedAsync();
        await Task.Delay(TimeSpan.FromSeconds(2.1), Test.Token);
        var between = await PassedAsync(app);
        await app.AcknowledgedAsync("event=open&id=2");

        var use = await Sweep(app).LookAsync(between, TimeSpan.Zero, Test.Token);
        Assert.Equal(1, await app.Services.GetRequiredService<Retention>().PurgeAsync(DateTimeOffset.UtcNow, use, null, Test.Token));

        Assert.Empty(await app.EventsAsync());
        Assert.Empty(app.Blobs.GetBlobs(cancellationToken: Test.Token));
    }

    [Fact]
    public async Task The_body_of_an_expired_event_that_may_be_needed_is_looked_at_again_later()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&rcpt=a@x&time=2026-01-02T03:04:05Z&message={Padding}");
        await app.StoreQueuedAsync();
        await Task.Delay(TimeSpan.FromSeconds(2.1), Test.Token);
        Assert.Equal(0, await SweepAsync(app, await PassedAsync(app)));

        var retention = app.Services.GetRequiredService<Retention>();
        Assert.Equal(1, await retention.PurgeAsync(DateTimeOffset.UtcNow, dryRun: false, null, Test.Token));
        Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token));

        Assert.Equal(1, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(1)));
    }

    [Fact]
    public async Task A_sweep_looks_at_each_blob_once_after_it_was_last_touched()
    {
        var account = azurite.NewAccount();
        var reads = 0;
        var wire = StorageWire.Between(account, (request, send, _) =>
        {
            reads += request.Method == HttpMethod.Get && request.RequestUri!.Segments.Length == 4 ? 1 : 0;
            return send();
        });
        await using var app = await IngestApp.StartAsync(account, configure: wire, pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&message={Padding}");
        await app.StoreQueuedAsync();
        reads = 0;

        Assert.Equal(0, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.Equal(1, reads);
        Assert.Equal(0, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(2)));
        Assert.Equal(1, reads);
    }

    [Fact]
    public async Task A_message_that_comes_again_protects_its_body_from_the_sweep_before_it_is_read()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount(), pump: false);
        await app.AcknowledgedAsync($"no=event&message={Padding}");
        await app.Queue.ReceiveMessageAsync(TimeSpan.FromSeconds(1), Test.Token);
        var before = Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Properties.LastModified;
        await Task.Delay(TimeSpan.FromSeconds(1.1), Test.Token);

        await app.StoreQueuedAsync();

        Assert.True(Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Properties.LastModified > before);
    }

    [Fact]
    public async Task A_failed_try_protects_the_body_of_its_webhook_from_the_sweep()
    {
        var account = azurite.NewAccount();
        var away = StorageFault.InTables(account, _ => new Azure.RequestFailedException(503, "busy", "ServerBusy", null));
        await using var app = await IngestApp.StartAsync(account, configure: away, pump: false);
        await app.AcknowledgedAsync($"event=open&id=1&email_id=e1&message={Padding}");
        var blob = Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token));
        await Task.Delay(TimeSpan.FromSeconds(1.1), Test.Token);

        await Assert.ThrowsAnyAsync<Exception>(app.StoreQueuedAsync);

        var touched = Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token));
        Assert.True(touched.Properties.LastModified > blob.Properties.LastModified);
    }

    [Fact]
    public async Task A_duplicate_that_was_compared_during_a_purge_leaves_nothing_that_the_next_purge_does_not_find()
    {
        var account = azurite.NewAccount();
        var judged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var purged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isArmed = false;
        await using var app = await IngestApp.StartAsync(account, pump: false);
        await using var other = await IngestApp.StartAsync(
            account,
            configure: StorageWire.Between(account, async (request, send, cancellationToken) =>
            {
                if (isArmed
                    && request.Method != HttpMethod.Get
                    && request.RequestUri!.AbsolutePath.Contains("EventsBy", StringComparison.Ordinal))
                {
                    judged.TrySetResult();
                    await purged.Task.WaitAsync(cancellationToken);
                }

                return await send();
            }),
            pump: false);
        const string Body = "event=processed&id=1&email_id=e1&recipients=a@x,%22b,c%22@x&time=2020-01-01T00:00:00Z";
        await app.AcknowledgedAsync(Body);
        await app.StoreQueuedAsync();
        await app.AcknowledgedAsync(Body);
        isArmed = true;
        var storing = other.StoreQueuedAsync();
        await judged.Task.WaitAsync(Test.Patience, Test.Token);
        var retention = app.Services.GetRequiredService<Retention>();
        var before = DateTimeOffset.UtcNow.AddDays(-30);

        Assert.Equal(1, await retention.PurgeAsync(before, dryRun: false, null, Test.Token));
        purged.SetResult();
        await storing;
        Assert.Equal(2, (await EndToEnd.IndexTests.RowsAsync(account, EventIndex.ByRecipientTable)).Count);
        await retention.PurgeAsync(before, dryRun: false, null, Test.Token);

        Assert.Empty(await EndToEnd.IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        Assert.Empty(await EndToEnd.IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
    }

    private static WebhookBlobs Blobs(IngestApp app) => app.Services.GetRequiredService<WebhookBlobs>();

    private static BlobSweep Sweep(IngestApp app) => app.Services.GetRequiredService<BlobSweep>();

    private static Task<DateTimeOffset> PassedAsync(IngestApp app) =>
        app.Services.GetRequiredService<StorageClock>().PassedAsync(Test.Token);

    private static async Task<long> SweepAsync(IngestApp app, DateTimeOffset before) =>
        await Sweep(app).SweepAsync(await Sweep(app).LookAsync(before, TimeSpan.Zero, Test.Token), Test.Token);
}
