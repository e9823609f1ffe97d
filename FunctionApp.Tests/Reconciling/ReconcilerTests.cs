using Azure.Data.Tables;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>Our own SMTP2GO sends to the real app, loses webhooks, and is reconciled with what is stored.</summary>
public sealed class ReconcilerTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Length = TimeSpan.FromHours(6);
    private static readonly TimeSpan Settled = TimeSpan.FromHours(110);

    private static DateTimeOffset Start => ReconciledAccount.Start;

    [Fact]
    public async Task Without_apply_it_lists_what_is_missing_and_changes_nothing()
    {
        await using var it = await StartAsync(azurite.NewAccount());
        it.Delivery.AddOutage(Start, Start + Settled);
        await it.SendAsync(Settled);

        var books = await it.ReconcileAsync(it.Window(Length, now: false), apply: false);

        var comparable = it.Account.Events.Count(e => e.Email.HasId);
        Assert.Equal((comparable, 0L, 0L, 0L), (books.Total.Missing, books.Total.Stored, books.FilledIn, books.Total.Surplus));
        Assert.Empty(await it.App.EventsAsync());
        Assert.Equal(
            it.Account.Events.Count - comparable, books.NotComparable.GetValueOrDefault(NotComparable.NoEmailIdInSmtp2Go));
    }

    [Fact]
    public async Task What_is_missing_is_filled_in_like_any_webhook_and_a_second_run_adds_nothing()
    {
        var account = azurite.NewAccount();
        await using var it = await StartAsync(account);
        it.Delivery.AddOutage(Start.AddHours(2), Start + Settled);
        await it.SendAsync(Settled);
        var window = it.Window(Length, now: false);

        var first = await it.ReconcileAsync(window);
        var again = await it.ReconcileAsync(window);

        Assert.InRange(first.FilledIn, 1, long.MaxValue);
        Assert.Equal(first.Total.Missing, first.FilledIn);
        Assert.Equal((0L, 0L, 0L, 0L), (again.Total.Missing, again.FilledIn, again.Removed, again.Total.Surplus));
        await it.AssertStoredOnceAsync();
        var tables = new TableServiceClient(account);
        foreach (var table in new[] { EventIndex.ByDayTable, EventIndex.ByRecipientTable })
        {
            var filledIn = await tables.GetTableClient(table)
                .QueryAsync<TableEntity>("source eq 'activity'", cancellationToken: Test.Token)
                .Select(row => (row.GetString("EventPartitionKey"), row.GetString("EventRowKey")))
                .Distinct()
                .CountAsync(Test.Token);
            Assert.Equal(first.FilledIn, filledIn);
        }
    }

    [Fact]
    public async Task Filled_in_bounces_and_complaints_count_for_their_recipients()
    {
        var account = azurite.NewAccount();
        await using var it = await StartAsync(account);
        it.Delivery.AddOutage(Start, Start + Settled);
        await it.SendAsync(Settled);

        await it.ReconcileAsync(it.Window(Length, now: false));

        var bounced = it.Account.Events.First(e => e.Kind == Smtp2GoEventKind.HardBounced).Recipient!;
        var rows = await new TableClient(account, Recipients.TableName)
            .QueryAsync<TableEntity>($"RowKey eq '{bounced}'", cancellationToken: Test.Token)
            .ToListAsync(Test.Token);
        Assert.NotEmpty(rows);
    }

    [Fact]
    public async Task A_webhook_that_comes_after_all_takes_the_place_of_its_filled_in_row()
    {
        await using var it = await StartAsync(azurite.NewAccount());

        // Down long enough for the retries to be hours apart.
        it.Delivery.AddOutage(Start, Start.AddHours(7));
        await it.SendAsync(TimeSpan.FromHours(7));
        var hasty = await it.ReconcileAsync(it.Window(Length));
        Assert.InRange(hasty.FilledIn, 1, long.MaxValue);

        await it.SendAsync(Settled);
        var healed = await it.ReconcileAsync(it.Window(Length, now: false));

        Assert.Equal(hasty.FilledIn, healed.Removed);
        await it.AssertStoredOnceAsync();
        Assert.DoesNotContain(await it.App.EventsAsync(), row => row.GetString("source") == "activity");
    }

    [Fact]
    public async Task Somebody_may_press_Retry_much_later()
    {
        await using var it = await StartAsync(azurite.NewAccount());
        it.Delivery.AddOutage(Start, Start.AddHours(100));
        await it.SendAsync(Settled);
        var window = it.Window(Length, now: false);
        await it.ReconcileAsync(window);

        var failed = it.Delivery.FailedNotifications.First(failed => failed.Event is { Kind: Smtp2GoEventKind.Delivered });
        Assert.True(await it.Delivery.RetryAsync(failed, Test.Token));
        await it.App.DrainedAsync();
        var healed = await it.ReconcileAsync(window);

        Assert.Equal((1L, 0L), (healed.Removed, healed.FilledIn));
        await it.AssertStoredOnceAsync();
    }

    [Fact]
    public async Task A_webhook_that_was_filtered_out_is_found()
    {
        await using var it = await StartAsync(azurite.NewAccount());
        it.Account.ChangeWebhook(it.Webhook with { Events = ["processed", "bounce", "click", "spam"] });
        await it.SendAsync(Settled);

        var books = await it.ReconcileAsync(it.Window(Length, now: false));

        Assert.Equal(books.Kinds[EventKind.OfActivity("delivered")!].InSmtp2Go, books.Kinds[EventKind.OfActivity("delivered")!].Missing);
        Assert.Equal(0, books.Kinds[EventKind.OfActivity("processed")!].Missing);
        await it.AssertStoredOnceAsync();
    }

    [Fact]
    public async Task A_processed_email_is_filled_in_once_however_often_SMTP2GO_lists_it()
    {
        await using var it = await StartAsync(azurite.NewAccount());
        it.Server.Behaviour.ProcessedPerRecipient = true;
        it.Delivery.AddOutage(Start, Start + Settled);
        await it.SendAsync(Settled);

        await it.ReconcileAsync(it.Window(Length, now: false));

        await it.AssertStoredOnceAsync();
        var email = it.Account.Events.First(e => e.Kind == Smtp2GoEventKind.Processed && e.Email.Recipients.Count > 1).Email;
        var row = Assert.Single(
            await it.App.EventsAsync(), row => row.PartitionKey == email.EmailId && row.GetString("event") == "processed");
        Assert.Equal(email.Recipients.Order(StringComparer.Ordinal), row.GetString("recipients").Split(','));
    }

    /// <summary>A run that is cut short at any point: by storage, by SMTP2GO, by its user.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_cuts_it_short_it_is_started_again_and_ends_the_same(int seed)
    {
        var account = azurite.NewAccount();
        await using var proxy = await StorageProxy.StartAsync(account, Test.Token);
        await using var it = await StartAsync(account, proxy.ConnectionStringOf(account));
        it.Delivery.AddOutage(Start.AddHours(1), Start.AddHours(7));
        await it.SendAsync(TimeSpan.FromHours(7));
        var random = new Random(seed);
        it.Server.Faults.Randomly(seed, 0.1, ApiFault.TooManyCalls, ApiFault.ServerError, ApiFault.Drop, ApiFault.NotJson);
        proxy.Choose = _ => Choose(random);
        var cut = 0;
        for (var run = 0; run < 12; run++)
        {
            using var killed = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
            killed.CancelAfter(TimeSpan.FromMilliseconds(random.Next(20, 1_500)));
            try
            {
                await foreach (var slice in it.Get<Reconciler>().ReconcileAsync(it.Window(Length), apply: true, killed.Token))
                {
                    // Retries arrive in the meantime.
                    await it.Delivery.AdvanceAsync(it.Account.Now.AddMinutes(20), Test.Token);
                }
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                cut++;
            }
        }

        Assert.InRange(cut, 1, 12);
        proxy.Choose = static _ => null;
        it.Server.Faults.Randomly(seed, 0);
        await it.SendAsync(Settled);
        await it.ReconcileAsync(it.Window(Length, now: false));
        var last = await it.ReconcileAsync(it.Window(Length, now: false));

        Assert.Equal((0L, 0L, 0L), (last.Total.Missing, last.Superseded, last.Total.Surplus));
        await it.AssertStoredOnceAsync();

        static Fault? Choose(Random random)
        {
            lock (random)
            {
                return random.Next(10) > 0 ? null : random.Next(4) switch
                {
                    0 => Fault.DropBefore,
                    1 => Fault.DropAfter,
                    2 => Fault.CutAnswer,
                    _ => Fault.Error(500, "InternalError", takesEffect: random.Next(2) == 0),
                };
            }
        }
    }

    [Fact]
    public async Task Nothing_that_is_private_is_logged_at_any_level()
    {
        using var logs = new Emitted();
        await using var it = await StartAsync(azurite.NewAccount(), logs: logs);
        it.Delivery.AddOutage(Start, Start + Settled);
        await it.SendAsync(Settled);
        it.Server.Faults.Enqueue(ApiFault.TooManyCalls);
        it.Server.Faults.Enqueue(ApiFault.NotJson);
        await Assert.ThrowsAsync<Smtp2GoException>(() => it.ReconcileAsync(it.Window(Length, now: false)));
        it.Server.Faults.Enqueue(ApiFault.Drop);

        await it.ReconcileAsync(it.Window(Length, now: false));
        await it.Get<ActivityAudit>().AuditAsync("2026-05-04", Test.Token);

        Assert.NotEmpty(logs.Lines);
        string[] secrets =
        [
            ReconciledAccount.Key, ReconciledAccount.Key[4..],
            .. it.Account.Events.Select(e => e.Recipient).OfType<string>().Distinct(),
            .. it.Account.Events.Select(e => e.Email.Subject).Where(subject => subject.Length > 0).Distinct(),
        ];
        Assert.DoesNotContain(logs.Lines, line => secrets.Any(secret => line.Contains(secret, StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData(401, "Check Smtp2Go__ApiKey")]
    [InlineData(402, "402")]
    [InlineData(404, "404")]
    public async Task What_SMTP2GO_refuses_is_not_asked_twice(int status, string said)
    {
        await using var it = await StartAsync(azurite.NewAccount(), speed: 10);
        it.Account.Now = Start + Settled;
        it.Server.Faults.Enqueue(new ApiFault(status));

        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => it.ReconcileAsync(it.Window(Length, now: false)));

        Assert.Equal(status, e.Status);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.Single(it.Server.Calls);
    }

    [Fact]
    public async Task A_key_without_the_permission_is_told_apart()
    {
        await using var it = await StartAsync(azurite.NewAccount());
        it.Account.Now = Start + Settled;
        it.Account.Keys[0] = new ApiKey(ReconciledAccount.Key, "/webhook/view");
        for (var shape = 0; shape < 2; shape++)
        {
            var e = await Assert.ThrowsAsync<Smtp2GoException>(() => it.ReconcileAsync(it.Window(Length, now: false)));

            Assert.Equal("ENDPOINT_PERMISSION_DENIED", e.ErrorCode);
            Assert.Contains("/activity/search", e.Message, StringComparison.Ordinal);
        }
    }

    private static Task<ReconciledAccount> StartAsync(string account, string? storage = null, Emitted? logs = null, double speed = 60) =>
        ReconciledAccount.StartAsync(account, Traffic.Between(seed: 11, emails: 80, Start, Start + Length), storage, logs, speed);
}
