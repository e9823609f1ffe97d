using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>What <c>Smtp2GoDays</c> says equals a count of the rows, whatever happened to them in the meantime.</summary>
public sealed class CountingTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    [Fact]
    public async Task The_last_days_are_counted_and_today_up_to_the_last_full_hour()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await PostAsync(app, Enumerable.Range(0, 5).SelectMany(ago => Day(Now.Date.AddDays(-ago).AddHours(-1))));

        await CountAsync(app);

        await CountedDays.AssertAgreeAsync(account);
        var today = await DayAsync(account, Now);
        var until = today.GetDateTimeOffset("CountedUntil")!.Value;
        Assert.Equal((0, 0), (until.Minute, until.Second));
        Assert.InRange(DateTimeOffset.UtcNow - until, TimeSpan.Zero, TimeSpan.FromMinutes(66));
        Assert.Equal(TimeSpan.Zero, (await DayAsync(account, Now.AddDays(-1))).GetDateTimeOffset("CountedUntil")!.Value.TimeOfDay);
    }

    [Fact]
    public async Task An_event_of_any_other_day_is_counted_by_the_next_run_however_late_it_comes()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await CountAsync(app);

        await PostAsync(
            app, [.. Day(Now.AddDays(-40)), .. Day(Now.AddDays(-2)), .. Day(Now.AddDays(3)), .. Day(new DateTime(2019, 6, 18))]);
        await CountAsync(app);
        await CountedDays.AssertAgreeAsync(account);

        // Once more the same events: the second time they are duplicates.
        await PostAsync(app, Day(Now.AddDays(-40)));
        await CountAsync(app);
        await CountedDays.AssertAgreeAsync(account);
    }

    /// <summary>The table of days is only derived: what is wrong with it keeps no event out, and makes no dead letter.</summary>
    [Theory]
    [InlineData(403)]
    [InlineData(400)]
    [InlineData(503)]
    public async Task A_late_event_is_stored_although_its_day_cannot_be_marked_and_is_counted_once_it_can(int status)
    {
        var account = azurite.NewAccount();
        var isDown = true;
        await using var app = await IngestApp.StartAsync(account, configure: StorageFault.InTables(account, request =>
            isDown && request.Uri.Path.Contains("Smtp2GoDays", StringComparison.Ordinal)
                ? new RequestFailedException(status, "down")
                : null));
        foreach (var body in Day(Now.AddDays(-40)))
        {
            await app.AcknowledgedAsync(body);
        }

        await Eventually.Get(async () => (await app.EventsAsync()).Count, count => count == Day(Now).Count());
        Assert.NotEqual(0, await app.WaitingAsync());

        isDown = false;
        await app.DrainedAsync();
        await CountAsync(app);

        Assert.Empty(await app.DeadLettersAsync());
        await IndexTests.AssertAgreeAsync(account);
        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task A_hundred_late_events_at_once_mark_their_day_once()
    {
        var account = azurite.NewAccount();
        var marks = 0;
        await using var app = await IngestApp.StartAsync(account, pump: false, configure: StorageWire.Between(account, (request, send, _) =>
        {
            marks += request.RequestUri!.AbsolutePath.Contains("Smtp2GoDays(", StringComparison.Ordinal) ? 1 : 0;
            return send();
        }));
        await new TableClient(account, DaysTable.TableName).CreateAsync(Test.Token);
        var touched = app.Services.GetRequiredService<TouchedDays>();

        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => touched.MarkAsync(["2026-03-24T08:23:19.000Z_open_0"], Test.Token)));

        Assert.Equal(1, marks);
        Assert.Single(await MarksAsync(account));
    }

    /// <summary>An event that changes no other day costs nothing extra: one insert and two index rows, as before.</summary>
    [Fact]
    public async Task An_event_of_today_costs_no_request_more()
    {
        var account = azurite.NewAccount();
        List<string> requests = [];
        await using var app = await IngestApp.StartAsync(account, configure: StorageWire.Between(account, (request, send, _) =>
        {
            lock (requests)
            {
                requests.Add(request.RequestUri!.AbsolutePath);
            }

            return send();
        }));

        await PostAsync(app, [$"event=open&id=1&email_id=e1&rcpt=a@x.example&time={DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ}"]);

        Assert.DoesNotContain(requests, path => path.Contains("Smtp2GoDays", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mark_stays_as_long_as_what_it_covers_may_still_be_written()
    {
        var account = azurite.NewAccount();
        var shift = TimeSpan.Zero;
        var time = new FakeTimeProvider(Now);
        await using var app = await IngestApp.StartAsync(
            account,
            configure: services =>
            {
                StorageWire.Shifted(account, () => shift)(services);
                services.AddSingleton<TimeProvider>(time);
            },
            pump: false);
        await StoreAsync(app, Day(Now.AddDays(-40)));

        shift = TouchedDays.Reach - TimeSpan.FromMinutes(2);
        await CountAsync(app);
        Assert.Single(await MarksAsync(account));

        shift = TouchedDays.Reach + TimeSpan.FromMinutes(2);
        await CountAsync(app);
        Assert.Empty(await MarksAsync(account));

        // By then no process believes any more that the mark is there.
        time.Advance(TouchedDays.Reach / 2);
        await StoreAsync(app, [$"event=spam&id=late&email_id=e1&rcpt=a@x.example&time={Now.AddDays(-40):yyyy-MM-ddTHH:mm:ssZ}"]);
        Assert.Single(await MarksAsync(account));
        await CountAsync(app);
        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task A_day_that_is_touched_again_and_again_while_it_is_counted_fails_nothing()
    {
        var account = azurite.NewAccount();
        var shift = TouchedDays.Reach + TimeSpan.FromMinutes(2);
        TableClient days = new(account, DaysTable.TableName);
        var day = EventKeys.Day(Now.AddDays(-40));
        var wire = StorageWire.Between(account, StorageWire.Later(shift, async (request, send, _) =>
        {
            if (request.RequestUri!.AbsolutePath.EndsWith("/$batch", StringComparison.Ordinal))
            {
                await days.UpsertEntityAsync(new TableEntity(DaysTable.Touched, day), TableUpdateMode.Replace, Test.Token);
            }

            return await send();
        }));
        await using var app = await IngestApp.StartAsync(account, configure: wire);
        await PostAsync(app, Day(Now.AddDays(-40)));

        await CountAsync(app);

        Assert.Single(await MarksAsync(account));
        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task A_day_that_no_run_has_counted_is_counted_by_the_next()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await PostAsync(app, [.. Day(Now.AddDays(-9)), .. Day(Now.AddDays(-20))]);

        // As if they had been today's when they came, and CountDays had not run since then; one day was counted before it was over.
        var days = new TableClient(account, DaysTable.TableName);
        foreach (var mark in await MarksAsync(account))
        {
            await days.DeleteEntityAsync(mark, cancellationToken: Test.Token);
        }

        var early = EventKeys.Day(Now.AddDays(-20));
        await days.AddEntityAsync(
            new TableEntity(DaysTable.PartitionKey(early), early)
            {
                [DaysTable.CountedAt] = Now.AddDays(-20),
                [DaysTable.CountedUntil] = Now.AddDays(-20),
            },
            Test.Token);
        await CountAsync(app);

        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Of_two_counts_at_once_the_older_look_never_wins()
    {
        var account = azurite.NewAccount();
        TaskCompletionSource reached = new(), release = new();
        var holds = false;
        var wire = StorageWire.Between(account, async (request, send, _) =>
        {
            // It has read the events, and is about to write what it saw.
            if (holds && request.RequestUri!.AbsolutePath.EndsWith("/$batch", StringComparison.Ordinal))
            {
                holds = false;
                reached.SetResult();
                await release.Task;
            }

            return await send();
        });
        await using var slow = await IngestApp.StartAsync(account, configure: wire, pump: false);
        await using var app = await IngestApp.StartAsync(account);
        await PostAsync(app, Day(Now.AddDays(-40)));
        holds = true;
        var counting = CountAsync(slow);
        await reached.Task.WaitAsync(Test.Patience, Test.Token);

        await PostAsync(app, [$"event=spam&id=late&email_id=e1&rcpt=a@x.example&time={Now.AddDays(-40):yyyy-MM-ddTHH:mm:ssZ}"]);
        await CountAsync(app);
        release.SetResult();
        await counting;

        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Forgetting_purging_and_rebuilding_leave_the_counts_right()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: ForgettingTests.Later(account));
        await PostAsync(app, [.. Day(Now.AddDays(-40)), .. Day(Now.AddDays(-20)), .. Day(Now.AddDays(-1))]);
        await CountAsync(app);

        await app.Services.GetRequiredService<Forgetting>().ForgetAsync("a@x.example", dryRun: false, null, Test.Token);
        await CountedDays.AssertAgreeAsync(account);

        await app.Services.GetRequiredService<Retention>().PurgeAsync(Now.AddDays(-30), dryRun: false, null, Test.Token);
        await CountedDays.AssertAgreeAsync(account);
        Assert.DoesNotContain(
            await CountsAsync(account), row => row.RowKey.StartsWith(EventKeys.Day(Now.AddDays(-40)), StringComparison.Ordinal));

        // What was counted by mistake, or by an older version, is counted again.
        var days = new TableClient(account, DaysTable.TableName);
        var wrong = (await CountsAsync(account)).First(row => row.RowKey.EndsWith("_delivered", StringComparison.Ordinal));
        wrong["Count"] = 99L;
        await days.UpdateEntityAsync(wrong, ETag.All, cancellationToken: Test.Token);
        await app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token);
        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task Forgetting_leaves_no_address_in_what_a_run_that_was_cut_short_has_noted()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account, configure: ForgettingTests.Later(account));
        await PostAsync(app, Day(Now.AddDays(-1)));
        var isAlive = true;
        var wire = StorageWire.Between(account, async (request, send, _) =>
        {
            var answer = await send();
            isAlive &= !request.RequestUri!.AbsolutePath.Contains("PartitionKey='progress'", StringComparison.Ordinal);
            return isAlive ? answer : throw new InvalidOperationException("The process is dead.");
        });
        await using var cut = await IngestApp.StartAsync(account, configure: wire, pump: false);
        await Assert.ThrowsAsync<InvalidOperationException>(() => CountAsync(cut));
        var noted = await IndexTests.RowsAsync(account, DaysTable.TableName);
        Assert.Contains(noted, row => row.PartitionKey == DaysTable.Progress && row.GetString("AfterRowKey") is { Length: > 0 });

        await app.Services.GetRequiredService<Forgetting>().ForgetAsync("d@x.example", dryRun: false, null, Test.Token);

        Assert.DoesNotContain(await IndexTests.RowsAsync(account, DaysTable.TableName), row => row.PartitionKey == DaysTable.Progress);
        await CountAsync(app);
        await RecipientsAgree.AssertAsync(account);
    }

    /// <summary>The mark is there before the deletion, so it does not matter where the run is cut short.</summary>
    [Fact]
    public async Task A_day_whose_event_was_forgotten_by_a_run_that_was_cut_short_is_counted_by_the_next()
    {
        var account = azurite.NewAccount();
        await using (var earlier = await IngestApp.StartAsync(
            account, configure: StorageWire.Shifted(account, () => TouchedDays.Reach + TimeSpan.FromMinutes(5))))
        {
            await PostAsync(earlier, Day(Now.AddDays(-40)));
            await CountAsync(earlier);
        }

        Assert.Empty(await MarksAsync(account));
        var isAlive = true;
        var wire = StorageWire.Between(account, StorageWire.Later(TimeSpan.FromMinutes(1), async (request, send, _) =>
        {
            Assert.True(isAlive, "The process is dead.");
            var answer = await send();
            isAlive = request.Method != HttpMethod.Delete
                || !request.RequestUri!.AbsolutePath.Contains("Smtp2GoEventsByDay", StringComparison.Ordinal);
            return answer;
        }));
        await using (var dying = await IngestApp.StartAsync(account, configure: wire, pump: false))
        {
            var forgetting = dying.Services.GetRequiredService<Forgetting>();
            await Assert.ThrowsAnyAsync<Exception>(() => forgetting.ForgetAsync("c@x.example", dryRun: false, null, Test.Token));
        }

        await using var app = await IngestApp.StartAsync(account, pump: false);
        await CountAsync(app);

        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task One_day_that_cannot_be_counted_does_not_hold_up_the_others()
    {
        var account = azurite.NewAccount();
        var (good, bad) = (EventKeys.Day(Now.AddDays(-30)), EventKeys.Day(Now.AddDays(-40)));
        await using var app = await IngestApp.StartAsync(account, configure: StorageFault.InTables(account, request =>
            Uri.UnescapeDataString(request.Uri.Query).Contains($"PartitionKey ge '{bad}_'", StringComparison.Ordinal)
                ? new RequestFailedException(500, "down")
                : null));
        await PostAsync(app, [.. Day(Now.AddDays(-40)), .. Day(Now.AddDays(-30))]);

        await Assert.ThrowsAsync<RequestFailedException>(() => CountAsync(app));

        var counted = await CountsAsync(account);
        Assert.Contains(counted, row => row.RowKey == good);
        Assert.DoesNotContain(counted, row => row.RowKey == bad);
    }

    [Fact]
    public async Task An_absurd_time_is_stored_and_not_counted()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        string[] times = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"];
        await PostAsync(app, times.Select(time => $"event=open&email_id=e1&time={time}"));

        await CountAsync(app);

        Assert.Equal(2, (await app.EventsAsync()).Count);
        Assert.Empty(await MarksAsync(account));
    }

    /// <summary>Somebody with Storage Explorer, or a version to come.</summary>
    [Fact]
    public async Task A_row_that_somebody_wrote_by_hand_stops_no_count()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await PostAsync(app, Day(Now.AddDays(-1)));
        await CountAsync(app);
        var days = new TableClient(account, DaysTable.TableName);
        var yesterday = EventKeys.Day(Now.AddDays(-1));
        foreach (var row in new[]
            {
                new TableEntity(DaysTable.PartitionKey(yesterday), yesterday) { [DaysTable.CountedAt] = "yesterday" },
                new TableEntity(DaysTable.Touched, "soon"),
                new TableEntity(DaysTable.Progress, "recipients") { ["Night"] = "tonight" },
            })
        {
            await days.UpsertEntityAsync(row, TableUpdateMode.Replace, Test.Token);
        }

        await CountAsync(app);

        await CountedDays.AssertAgreeAsync(account);
    }

    [Fact]
    public async Task More_kinds_of_events_than_a_day_has_room_for_are_counted_together()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        var day = Now.AddDays(-2);
        var kinds = Enumerable.Range(0, 120).Select(i => $"a-kind{i:000}").Append("spam");
        await PostAsync(app, kinds.Select(kind => $"event={kind}&id={kind}&email_id=e1&time={day:yyyy-MM-ddTHH:mm:ssZ}"));

        await CountAsync(app);

        var rows = (await IndexTests.RowsAsync(account, DaysTable.TableName))
            .Where(row => row.RowKey.StartsWith($"{EventKeys.Day(day)}_", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(121, rows.Sum(row => row.GetInt64("Count")));
        Assert.Equal(1, rows.Single(row => row.RowKey.EndsWith("_spam", StringComparison.Ordinal)).GetInt64("Count"));
        Assert.Equal(80, rows.Single(row => row.RowKey.EndsWith("_other", StringComparison.Ordinal)).GetInt64("Count"));
    }

    private static IEnumerable<string> Day(DateTimeOffset day) => Day(day.UtcDateTime);

    private static IEnumerable<string> Day(DateTime day)
    {
        var at = day.Date.AddHours(8);
        return
        [
            Event("processed", 0, "&recipients=a@x.example,b@x.example"),
            Event("delivered", 7, "&rcpt=a@x.example&message=250+2.0.0+OK"),
            Event("delivered", 900, "&rcpt=b@x.example"),
            Event("bounce", 3, "&rcpt=c@x.example&bounce=hard&message=550+5.1.1+no+such+user"),
            Event("bounce", 4, "&rcpt=c@x.example&bounce=soft&message=452+4.2.2+full"),
            Event("open", 5_000, "&rcpt=a@x.example&user-agent=GoogleImageProxy"),
            Event("reject", 6, "&rcpt=d@x.example&message=suppressed", "Other <hello@other.example>"),
            Event("open", 60, "&rcpt=a@x.example&subject=Mail+test+-+please+ignore") + "&sendtime=2015-08-04T22:39:34Z",
        ];

        string Event(string name, int seconds, string fields, string from = "shop@Shop.example")
        {
            var time = at.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return $"event={name}&id={day:yyyyMMdd}{name}{seconds}&email_id={EximId.Of(new DateTimeOffset(at, TimeSpan.Zero))}&time={time}"
                + $"&from={Uri.EscapeDataString(from)}{fields}";
        }
    }

    private static async Task StoreAsync(IngestApp app, IEnumerable<string> bodies)
    {
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
            await app.StoreQueuedAsync();
        }
    }

    private static async Task PostAsync(IngestApp app, IEnumerable<string> bodies)
    {
        foreach (var body in bodies)
        {
            await app.AcknowledgedAsync(body);
        }

        await app.DrainedAsync();
        Assert.Empty(await app.DeadLettersAsync());
    }

    private static Task CountAsync(IngestApp app) => app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);

    private static async Task<TableEntity> DayAsync(string account, DateTimeOffset day) =>
        (await IndexTests.RowsAsync(account, DaysTable.TableName))
            .Single(row => row.RowKey == EventKeys.Day(day) && row.PartitionKey != DaysTable.Touched);

    private static async Task<List<TableEntity>> CountsAsync(string account) =>
        [.. (await IndexTests.RowsAsync(account, DaysTable.TableName)).Where(row => row.PartitionKey[0] is '1' or '2')];

    private static async Task<List<TableEntity>> MarksAsync(string account) =>
        [.. (await IndexTests.RowsAsync(account, DaysTable.TableName)).Where(row => row.PartitionKey == DaysTable.Touched)];
}
