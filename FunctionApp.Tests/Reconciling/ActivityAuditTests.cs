using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Reconciling;
using Kind = Smtp2GoIngest.Lab.Smtp2Go.Smtp2GoEventKind;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>The daily audit, over a real Azurite and an SMTP2GO of our own.</summary>
public sealed class ActivityAuditTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private const string Key = "api-0123456789ABCDEF0123456789ABCDEF";

    // At a quarter past four, the first of May became settled a quarter of an hour ago.
    private const string Day = "2026-05-01";

    private static readonly DateTimeOffset Now = new(2026, 5, 6, 4, 15, 0, TimeSpan.Zero);

    private readonly string storage = azurite.NewAccount();
    private readonly Emitted emitted = new();
    private readonly ScaledTime time = new(Now, speed: 20);
    private readonly Smtp2GoAccount account = new(Now) { Keys = { new ApiKey(Key, "/activity/search") } };
    private Smtp2GoServer? server;
    private int events;

    private Smtp2GoServer Smtp2Go => server!;

    private TableClient Days => new(storage, "Smtp2GoDays");

    public async ValueTask InitializeAsync() => server = await Smtp2GoServer.StartAsync(account, time, port: 0, Test.Token);

    public async ValueTask DisposeAsync()
    {
        await Smtp2Go.DisposeAsync();
        emitted.Dispose();
    }

    [Fact]
    public async Task A_day_is_compared_by_kind_with_ten_calls()
    {
        (Kind Kind, int Count)[] inSmtp2Go =
        [
            (Kind.Processed, 3), (Kind.Delivered, 4), (Kind.HardBounced, 3), (Kind.SoftBounced, 2), (Kind.Rejected, 2), (Kind.Opened, 5),
            (Kind.Clicked, 1), (Kind.Spam, 1), (Kind.Unsubscribed, 1), (Kind.Resubscribed, 1),
        ];
        Array.ForEach(inSmtp2Go, it => Happen(it.Kind, it.Count));
        Happen(Kind.Delivered, 1, "2026-04-30T23:59:59Z");
        Happen(Kind.Delivered, 1, "2026-05-02T00:00:00Z");
        await StoreAsync(
            [
                .. Webhooks("processed", 3), .. Webhooks("delivered", 2), .. Webhooks("bounce&bounce=hard", 1),
                .. Webhooks("bounce&bounce=soft", 1), .. Webhooks("bounce", 1), .. Webhooks("reject", 1),
                .. Webhooks("reject", 1).Select(body => body.Replace("email_id=", "x=", StringComparison.Ordinal)), .. Webhooks("open", 6),
                .. Webhooks("click", 1), .. Webhooks("unsubscribe", 1), .. Webhooks("resubscribe", 1), .. Webhooks("sms_failed", 1),
                .. Webhooks("delivered", 2, "2026-04-30T23:59:59Z"), .. Webhooks("delivered", 2, "2026-05-02T00:00:00Z"),
                .. Webhooks("delivered", 2)
                    .Select(body => body + "&subject=Mail+test+-+please+ignore&sendtime=2015-08-04T22%3A39%3A34Z"),
            ]);
        await using var app = await StartAsync();

        await AuditAsync(app);

        string[] expected =
        [
            "processed 3 3", "delivered 4 2", "bounce (hard) 3 1", "bounce (soft) 2 2", "reject 2 2", "open 5 6", "click 1 1", "spam 1 0",
            "unsubscribe 1 1", "resubscribe 1 1",
        ];
        var row = await Days.GetEntityAsync<TableEntity>("audit", Day, cancellationToken: Test.Token);
        var audit = DayAudit.Of(row)!;
        Assert.Equal(expected, audit.Kinds.Select(kind => $"{kind.Kind} {kind.InSmtp2Go} {kind.Stored}"));
        Assert.Equal((5, 5), (audit.Missing, row.Value.GetInt64("Missing")));
        Assert.InRange(audit.AuditedAt, Now, time.GetUtcNow());
        Assert.Equal(10, Smtp2Go.Calls.Count);
        Assert.All(Smtp2Go.Calls, call => Assert.Equal((200, KeyPlaces.Header), (call.Status, call.Key)));
        Assert.All(Smtp2Go.Calls, call => Assert.Contains("\"limit\":1,", call.Body, StringComparison.Ordinal));
    }

    /// <summary>A new app has nothing of the days before it, and has lost nothing.</summary>
    [Theory]
    [InlineData("2026-05-03T10:00:00Z", 0)]
    [InlineData(Day + "T10:00:00Z", 0)]
    [InlineData("2026-04-30T10:00:00Z", 1)]
    public async Task The_days_up_to_the_first_stored_event_are_not_audited(string first, int audited)
    {
        Happen(Kind.Delivered, 3);
        await StoreAsync($"event=open&id=1&email_id=1&rcpt=a%40x.example&time={first}", []);
        await using var app = await StartAsync();

        await AuditAsync(app);

        Assert.Equal(audited, (await AuditsAsync()).Count);
        Assert.Equal(audited, Missing(app).Count(line => line == "3 [event, delivered]"));

        // Or it would look as if the audit had stopped.
        Assert.Contains("0 [event, spam]", Missing(app));
    }

    [Fact]
    public async Task A_key_that_the_vault_has_lost_stops_the_audit_and_nothing_else()
    {
        // By a clock that runs faster, a webhook would have to be in the queue sooner.
        await using var app = await StartAsync(
            services => services.AddSingleton(TimeProvider.System),
            settings: ("Smtp2Go:ApiKey", "@Microsoft.KeyVault(SecretUri=https://v.example/secrets/key/1)"));

        var e = await Assert.ThrowsAsync<Smtp2GoException>(() => AuditAsync(app));

        Assert.Contains("Smtp2Go__ApiKey", e.Message, StringComparison.Ordinal);
        using var answer = await app.PostAsync("event=open");
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Empty(Smtp2Go.Calls);
    }

    [Fact]
    public async Task What_is_missing_is_a_metric_by_event_and_a_warning()
    {
        Happen(Kind.Delivered, 3);
        Happen(Kind.HardBounced, 2);
        await StoreAsync([.. Webhooks("delivered", 1), .. Webhooks("open", 4)]);
        await using var app = await StartAsync();

        await AuditAsync(app);

        Assert.Equal(
            [
                "0 [event, bounce] [bounce, soft]", "0 [event, click]", "0 [event, open]", "0 [event, processed]", "0 [event, reject]",
                "0 [event, resubscribe]", "0 [event, spam]", "0 [event, unsubscribe]", "2 [event, bounce] [bounce, hard]",
                "2 [event, delivered]",
            ],
            Missing(app).Order(StringComparer.Ordinal));
        Assert.Contains(emitted.Lines, line => line.StartsWith(
            $"log Warning 510 Audit of {Day}: 5 events in SMTP2GO, 5 stored, at least 4 missing, processed aside.",
            StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_run_replaces_what_the_first_one_found()
    {
        Happen(Kind.Delivered, 3);
        await StoreAsync(Webhooks("delivered", 1));
        await using var app = await StartAsync();
        await AuditAsync(app);
        var first = Assert.Single(await AuditsAsync());

        await StoreAsync(Webhooks("delivered", 2));
        await AuditAsync(app);

        var second = Assert.Single(await AuditsAsync());
        Assert.Equal((2, 0), (first.Missing, second.Missing));
        Assert.True(second.AuditedAt > first.AuditedAt);
    }

    /// <summary>SMTP2GO's free plan has that day no more, or not all of it: its own count stays as it was.</summary>
    [Fact]
    public async Task A_day_with_something_missing_is_counted_again_until_it_is_stored()
    {
        const string Before = "2026-04-29";
        await AuditedAsync(Before, new AuditedKind(EventKind.All[1], 3, 1), new AuditedKind(EventKind.All[0], 9, 1));
        await AuditedAsync("2026-04-30", new AuditedKind(EventKind.All[0], 9, 1));
        await StoreAsync(Webhooks("delivered", 2, Before + "T12:00:00Z"));
        await using var app = await StartAsync();

        await AuditAsync(app);

        Assert.Equal(10, Smtp2Go.Calls.Count);
        Assert.Equal("1 [event, delivered]", Missing(app).Last(line => line.EndsWith("[event, delivered]", StringComparison.Ordinal)));
        var audits = await AuditsAsync();
        Assert.Equal([$"{Before} 1", "2026-04-30 0", $"{Day} 0"], audits.Select(audit => $"{audit.Day} {audit.MissingForSure}"));
        Assert.Equal([Now.AddDays(-1), Now.AddDays(-1)], audits.Take(2).Select(audit => audit.AuditedAt));

        await StoreAsync(Webhooks("delivered", 1, Before + "T12:00:00Z"));
        await AuditAsync(app);
        Assert.All(await AuditsAsync(), audit => Assert.Equal(0, audit.MissingForSure));
    }

    [Fact]
    public async Task Missed_days_are_caught_up_with_for_a_week_and_reported_together()
    {
        Happen(Kind.Delivered, 2);
        Happen(Kind.Delivered, 1, "2026-04-29T12:00:00Z");
        Happen(Kind.Opened, 7, "2026-04-28T12:00:00Z");
        await AuditedAsync("2026-04-20");
        await AuditedAsync("2026-04-28");
        await using var app = await StartAsync();

        await AuditAsync(app);

        Assert.Equal(
            ["2026-04-20 0", "2026-04-25 0", "2026-04-26 0", "2026-04-27 0", "2026-04-28 0", "2026-04-29 1", "2026-04-30 0", $"{Day} 2"],
            (await AuditsAsync()).Select(audit => $"{audit.Day} {audit.Missing}"));
        Assert.Equal(60, Smtp2Go.Calls.Count);
        Assert.InRange(ApiCall.MostInAMinute(Smtp2Go.Calls), 1, Smtp2GoServer.SearchesPerMinute);
        Assert.Equal("3 [event, delivered]", Missing(app).Last(line => line.EndsWith("[event, delivered]", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2026-04-29")]
    public async Task Before_the_first_audit_no_day_was_missed(string? first)
    {
        await (first is null ? Task.CompletedTask : AuditedAsync(first));
        await using var app = await StartAsync();

        await AuditAsync(app);
        await AuditAsync(app);

        Assert.Equal(
            first is null ? [Day] : ["2026-04-29", "2026-04-30", Day], (await AuditsAsync()).Select(audit => audit.Day));
    }

    [Fact]
    public async Task After_a_month_without_an_audit_there_is_a_week_to_catch_up_with()
    {
        await AuditedAsync("2026-04-01");
        await using var app = await StartAsync();

        await AuditAsync(app);

        Assert.Equal(
            ["2026-04-01", "2026-04-25", "2026-04-26", "2026-04-27", "2026-04-28", "2026-04-29", "2026-04-30", Day],
            (await AuditsAsync()).Select(audit => audit.Day));
    }

    /// <summary>A day that was purged has nothing stored, which is no fault.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 1)]
    [InlineData(6, 2)]
    [InlineData(0, 7)]
    public async Task Only_days_that_the_retention_keeps_are_audited(int retentionDays, int audited)
    {
        Happen(Kind.Delivered, 2);
        await StoreAsync(Webhooks("delivered", 2));
        await AuditedAsync("2026-04-01");
        await using var app = await StartAsync(("Events:RetentionDays", $"{retentionDays}"));

        await app.Services.GetRequiredService<Retention>().PurgeExpiredAsync(Test.Token);
        await AuditAsync(app);

        Assert.Equal((audited > 0 ? 2 : 0) + (retentionDays == 0 ? 1 : 0), (await app.EventsAsync()).Count);
        Assert.Equal(audited, (await AuditsAsync()).Count - 1);
        Assert.Equal(10 * audited, Smtp2Go.Calls.Count);
        Assert.DoesNotContain(Missing(app), line => !line.StartsWith("0 ", StringComparison.Ordinal));
        Assert.Equal(
            audited == 7 ? 0 : 1,
            emitted.Lines.Count(line => line.StartsWith("log Information 511 ", StringComparison.Ordinal)
                && line.Contains($"after {retentionDays} days", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Without_a_key_it_does_nothing_and_says_nothing()
    {
        Happen(Kind.Delivered, 3);
        await using var app = await StartAsync(("Smtp2Go:ApiKey", string.Empty));
        var before = LogLines();

        await AuditAsync(app);

        Assert.Empty(Smtp2Go.Calls);
        Assert.Empty(await AuditsAsync());
        Assert.Empty(Missing(app));
        Assert.Equal(before, LogLines());

        int LogLines() => emitted.Lines.Count(line => line.StartsWith("log ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_audit_that_fails_halfway_leaves_no_row_and_reports_nothing()
    {
        Happen(Kind.Delivered, 3);
        await using var app = await StartAsync();
        Smtp2Go.Faults.Enqueue(ApiFault.Slow(TimeSpan.Zero), calls: 5);
        Smtp2Go.Faults.Enqueue(new ApiFault(400));

        await Assert.ThrowsAsync<Smtp2GoException>(() => AuditAsync(app));

        Assert.Equal(6, Smtp2Go.Calls.Count);
        Assert.Empty(await AuditsAsync());
        Assert.Empty(Missing(app));

        await AuditAsync(app);
        Assert.Equal(3, Assert.Single(await AuditsAsync()).Missing);
    }

    [Fact]
    public async Task So_does_one_that_cannot_count_what_is_stored()
    {
        await StoreAsync(Webhooks("delivered", 1));
        await using var app = await StartAsync(StorageFault.InTables(
            storage,
            request => request.Uri.Path.Contains("ByDay", StringComparison.Ordinal)
                ? new RequestFailedException(503, "busy", "ServerBusy", null)
                : null));

        await Assert.ThrowsAsync<RequestFailedException>(() => AuditAsync(app));

        Assert.Empty(await AuditsAsync());
        Assert.Empty(Missing(app));
    }

    [Fact]
    public async Task An_older_day_that_SMTP2GO_refuses_does_not_keep_the_newest_from_its_audit()
    {
        Happen(Kind.Delivered, 3);
        await AuditedAsync("2026-04-28");
        await using var app = await StartAsync();
        Smtp2Go.Faults.Enqueue(ApiFault.Slow(TimeSpan.Zero), calls: 10);
        Smtp2Go.Faults.Enqueue(new ApiFault(400));

        await Assert.ThrowsAsync<Smtp2GoException>(() => AuditAsync(app));

        Assert.Equal(["2026-04-28 0", $"{Day} 3"], (await AuditsAsync()).Select(audit => $"{audit.Day} {audit.Missing}"));
        Assert.Contains("3 [event, delivered]", Missing(app));
    }

    [Fact]
    public async Task A_try_that_fails_is_repeated()
    {
        Happen(Kind.Opened, 2);
        await using var app = await StartAsync();
        Smtp2Go.Faults.Enqueue(ApiFault.TooManyCalls);
        Smtp2Go.Faults.Enqueue(ApiFault.Drop);
        Smtp2Go.Faults.Enqueue(ApiFault.Cut);
        Smtp2Go.Faults.Enqueue(ApiFault.Unavailable);

        await AuditAsync(app);

        Assert.Equal(14, Smtp2Go.Calls.Count);
        Assert.Equal(2, Assert.Single(await AuditsAsync()).Missing);
    }

    [Fact]
    public async Task No_key_and_no_address_is_in_any_log_whatever_happens()
    {
        Happen(Kind.Delivered, 3);
        await using var app = await StartAsync();
        ApiFault[] faults =
        [
            ApiFault.TooManyCalls, ApiFault.ServerError, ApiFault.Drop, ApiFault.Cut, ApiFault.NotJson, ApiFault.EmptyJson,
            new ApiFault(401), new ApiFault(403), new ApiFault(400, $"{{\"data\":{{\"error\":\"{Key} of a@x.example\"}}}}"),
        ];
        foreach (var fault in faults)
        {
            Smtp2Go.Faults.Enqueue(fault);
            if (await Record.ExceptionAsync(() => AuditAsync(app)) is { } e)
            {
                Assert.DoesNotContain(Key, Assert.IsType<Smtp2GoException>(e).Message, StringComparison.Ordinal);
            }
        }

        await AuditAsync(app);

        Assert.Contains(emitted.Lines, line => line.StartsWith("log Warning 510 ", StringComparison.Ordinal));
        Assert.DoesNotContain(emitted.Lines, line => line.Contains(Key[4..], StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(emitted.Lines, line => line.Contains("@x.example", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>In the self-hosted app: by its timer, and with what SMTP2GO said.</summary>
    [Fact]
    public async Task At_a_quarter_past_four_it_runs_and_a_failure_is_an_error_in_the_log()
    {
        account.Keys.Clear();
        await using var app = await StartAsync(
            services => services.AddSingleton<TimeProvider>(new ScaledTime(Now.AddSeconds(-20), speed: 10)), pump: true);

        await Eventually.Get(
            () => Task.FromResult(emitted.Lines.Count(line => line.StartsWith(
                "log Error 410 AuditDay failed: SMTP2GO does not accept the API key.", StringComparison.Ordinal))),
            count => count == 1);

        Assert.Single(Smtp2Go.Calls);
    }

    /// <summary>Its rows are in a table that other runs read, replace and delete from.</summary>
    [Fact]
    public async Task Neither_counting_nor_maintenance_touches_an_audit_or_counts_it()
    {
        Happen(Kind.Delivered, 3);
        await StoreAsync([.. Webhooks("delivered", 2), .. Webhooks("open", 2)]);
        await using (var auditing = await StartAsync())
        {
            await AuditAsync(auditing);
        }

        await using var app = await IngestApp.StartAsync(storage, pump: false);
        var before = await RowAsync();

        await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
        await CountedDays.AssertAgreeAsync(storage);
        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);
        await app.Services.GetRequiredService<Forgetting>().ForgetAsync("a1@x.example", dryRun: false, null, Test.Token);
        await app.Services.GetRequiredService<Retention>().PurgeAsync(Now.AddYears(1), dryRun: false, null, Test.Token);

        Assert.Empty(await app.EventsAsync());
        await CountedDays.AssertAgreeAsync(storage);
        Assert.Equal(before, await RowAsync());

        async Task<string> RowAsync()
        {
            var row = await Days.GetEntityAsync<TableEntity>("audit", Day, cancellationToken: Test.Token);
            return string.Join(' ', row.Value.OrderBy(it => it.Key));
        }
    }

    private static Task AuditAsync(IngestApp app) => app.Services.GetRequiredService<ActivityAudit>().AuditDueAsync(Test.Token);

    private Task<IngestApp> StartAsync(params (string Name, string Value)[] settings) => StartAsync(null, false, settings);

    private Task<IngestApp> StartAsync(
        Action<IServiceCollection>? configure, bool pump = false, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["Smtp2Go:ApiKey"] = Key, ["Smtp2Go:ApiUrl"] = Smtp2Go.Url };
        Array.ForEach(settings, setting => all[setting.Name] = setting.Value);
        return IngestApp.StartAsync(
            storage,
            all,
            services =>
            {
                services.AddSingleton<TimeProvider>(time);
                emitted.AddTo(services);
                configure?.Invoke(services);
            },
            pump,
            timers: pump);
    }

    /// <summary>In SMTP2GO.</summary>
    private void Happen(Kind kind, int count, string at = Day + "T12:00:00Z")
    {
        for (var i = 0; i < count; i++)
        {
            var n = ++events;
            account.Add(new Smtp2GoEvent
            {
                Id = $"{n:x32}",
                Email = new Smtp2GoEmail
                {
                    EmailId = $"1w4x2g-FnQW0hPru7M-{n:0000}",
                    Sender = "shop@x.example",
                    Recipients = [$"a{n}@x.example"],
                    Username = "api-0123456789ab",
                },
                Kind = kind,
                Date = DateTimeOffset.Parse(at, CultureInfo.InvariantCulture),
                Recipient = kind == Kind.Processed ? null : $"a{n}@x.example",
            });
        }
    }

    private List<string> Webhooks(string name, int count, string at = Day + "T12:00:00Z") => [.. Enumerable.Range(0, count)
        .Select(_ => ++events)
        .Select(n => $"event={name}&id=w{n}&email_id=e{n}&rcpt=a{n}%40x.example&time={Uri.EscapeDataString(at)}")];

    /// <summary>In an app that has been there for long.</summary>
    private Task StoreAsync(List<string> bodies) =>
        StoreAsync("event=open&id=first&email_id=first&rcpt=first%40x.example&time=2026-01-01T00:00:00Z", bodies);

    private async Task StoreAsync(string first, List<string> bodies)
    {
        await using var app = await IngestApp.StartAsync(storage);
        foreach (var body in bodies.Prepend(first))
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
        Assert.Empty(await app.DeadLettersAsync());
    }

    /// <summary>A day that an earlier run has audited.</summary>
    private async Task AuditedAsync(string day, params AuditedKind[] kinds)
    {
        await Days.CreateIfNotExistsAsync(Test.Token);
        await Days.UpsertEntityAsync(new DayAudit(day, Now.AddDays(-1), kinds).ToRow(), TableUpdateMode.Replace, Test.Token);
    }

    private async Task<List<DayAudit>> AuditsAsync()
    {
        await Days.CreateIfNotExistsAsync(Test.Token);
        return await Days.QueryAsync<TableEntity>("PartitionKey eq 'audit'", cancellationToken: Test.Token)
            .Select(row => DayAudit.Of(row)!)
            .ToListAsync(Test.Token);
    }

    private IEnumerable<string> Missing(IngestApp app) => emitted.MeasuredBy(app.Services)
        .Where(line => line.StartsWith("metric Smtp2GoIngest events.missing ", StringComparison.Ordinal))
        .Select(line => line["metric Smtp2GoIngest events.missing ".Length..]);
}
