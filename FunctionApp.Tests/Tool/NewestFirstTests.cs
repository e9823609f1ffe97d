using Azure.Data.Tables;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>Events are read backwards, in order, all of them and each once, however they lie in time.</summary>
public sealed class NewestFirstTests(AzuriteFixture azurite)
{
    // One call may also finish the windows of several days that it asked for at the same time.
    private const int MostRowsInOneCall = NewestFirst.MaxRows + 8_000;

    private static readonly DateTimeOffset Now = new(2026, 5, 31, 12, 0, 0, 500, TimeSpan.Zero);
    private static readonly string[] Kinds = ["bounce", "delivered", "open", "processed", "zoom/later é"];

    private readonly TableServiceClient service = new(azurite.NewAccount());

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(3, null)]
    [InlineData(4, "open")]
    [InlineData(5, "zoom/later é")]
    public async Task Random_times_come_back_in_order_and_each_once(int seed, string? kind)
    {
        var random = new Random(seed);
        List<DateTimeOffset> times = [Now, Now.AddTicks(1), new DateTimeOffset(2026, 5, 31, 0, 0, 0, TimeSpan.Zero), Now.AddDays(40)];
        while (times.Count < 1_200)
        {
            // Dense minutes, single events, several in one millisecond, and months without any.
            var start = Now.AddHours(-random.NextInt64(1L << random.Next(1, 13)));
            var spread = random.Next(4) switch { 0 => 1, 1 => 1_000, 2 => 300_000, _ => 86_400_000 };
            times.AddRange(Enumerable.Range(0, random.Next(1, 120)).Select(_ => start.AddMilliseconds(random.Next(spread))));
        }

        var stored = await StoreAsync(times, _ => Kinds[random.Next(Kinds.Length)]);
        var read = await ReadAsync(new EventFilter(kind), random.Next(1, 90));

        AssertNewestFirst(stored.Where(e => kind is null || e.Name == kind), read);
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1_000)]
    [InlineData(1_001)]
    [InlineData(2_500)]
    public async Task More_in_one_millisecond_than_fits_into_an_answer_is_complete(int count)
    {
        var moment = Now.AddMinutes(-3);
        var stored = await StoreAsync(
            [.. Enumerable.Repeat(moment, count), moment.AddMilliseconds(1), moment.AddMilliseconds(-1), moment.AddDays(-100)],
            i => Kinds[i % Kinds.Length]);

        AssertNewestFirst(stored, await ReadAsync(new EventFilter(), 50));
    }

    [Fact]
    public async Task Every_exact_page_is_full_and_the_one_after_the_last_is_empty()
    {
        await StoreAsync([.. Enumerable.Range(0, 100).Select(i => Now.AddSeconds(-i))], _ => "open");
        var reader = ReaderOf(new EventFilter());

        Assert.Equal(50, (await reader.NextAsync(50, Test.Token)).Count);
        Assert.False(reader.IsAtEnd);
        Assert.Equal(50, (await reader.NextAsync(50, Test.Token)).Count);
        Assert.Empty(await reader.NextAsync(50, Test.Token));
        Assert.True(reader.IsAtEnd);
    }

    [Fact]
    public async Task A_busy_account_takes_few_requests_and_rows_for_its_first_page()
    {
        // 33,000 a day are 23 a minute.
        await StoreAsync([.. Enumerable.Range(0, 3_000).Select(i => Now.AddSeconds(-i * 2.6))], i => Kinds[i % Kinds.Length]);
        var reader = ReaderOf(new EventFilter());

        Assert.Equal(50, (await reader.NextAsync(50, Test.Token)).Count);
        Assert.Equal(1, reader.Requests);
        Assert.InRange(reader.RowsRead, 50, 200);
    }

    [Fact]
    public async Task A_large_mailing_long_ago_is_found_within_one_call()
    {
        var mailing = Now.AddDays(-100).AddHours(7);
        await StoreAsync([.. Enumerable.Range(0, 2_000).Select(i => mailing.AddMilliseconds(i * 300))], i => Kinds[i % Kinds.Length]);
        var reader = ReaderOf(new EventFilter());

        var page = await reader.NextAsync(50, Test.Token);

        Assert.Equal(50, page.Count);
        Assert.Equal("email01999", page[0].EmailId);
        Assert.InRange(reader.RowsRead, 50, NewestFirst.MaxRows);
        Assert.InRange(reader.Requests, 1, 30);
    }

    [Theory]
    [InlineData(null, 3_000)]
    [InlineData(null, 600)]
    [InlineData("open", 3_000)]
    public async Task Many_events_dated_far_in_the_future_do_not_hide_what_has_happened(string? kind, int count)
    {
        var (busy, past) = (1_200, 30);
        await StoreAsync(
            [
                .. Enumerable.Range(0, count).Select(i => Now.AddDays(40).AddSeconds(i)),
                .. Enumerable.Range(0, busy).Select(i => Now.AddMilliseconds(-i * 200)),
                .. Enumerable.Range(1, past).Select(i => Now.AddDays(-i)),
            ],
            _ => "open");
        var reader = ReaderOf(new EventFilter(kind));

        var first = await reader.NextAsync(1_050, Test.Token);

        Assert.Contains(first, e => e.Time <= Now);
        Assert.Equal(count > 1_000, reader.HasMoreInFuture);
        List<StoredEvent> read = [.. first];
        while (!reader.IsAtEnd)
        {
            read.AddRange(await reader.NextAsync(100, Test.Token));
        }

        Assert.Equal(Math.Min(count, 1_000) + busy + past, read.DistinctBy(e => e.Key).Count());
        Assert.Equal(read.OrderByDescending(e => e.Time).Select(e => e.Time), read.Select(e => e.Time));
        Assert.InRange(reader.Requests, 1, 120);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("open")]
    public async Task Many_events_a_little_in_the_future_are_all_found(string? kind)
    {
        var stored = await StoreAsync([.. Enumerable.Range(0, 2_500).Select(i => Now.AddMilliseconds((i * 1_000) - 200_000))], _ => "open");

        AssertNewestFirst(stored, await ReadAsync(new EventFilter(kind), 50));
    }

    [Fact]
    public async Task A_source_that_ends_has_nothing_later()
    {
        var stored = await StoreAsync([Now.AddDays(3), Now.AddHours(2), Now.AddMinutes(30), Now.AddDays(-3)], _ => "open");
        var reader = new NewestFirst(service, EventSource.Of(new EventFilter()).Before(Now.AddHours(1)), new FakeTimeProvider(Now));

        Assert.Equal(stored.Skip(2).Select(e => e.Id), (await reader.NextAsync(50, Test.Token)).Select(e => e.EmailId));
        Assert.True(reader.IsAtEnd);
    }

    [Fact]
    public async Task Nothing_stored_is_nothing_found_without_looking_for_it_day_by_day()
    {
        foreach (var filter in (EventFilter[])[new(), new("open"), new(Class: "blocked")])
        {
            var reader = ReaderOf(filter);

            Assert.Empty(await reader.NextAsync(50, Test.Token));
            Assert.True(reader.IsAtEnd);
            Assert.InRange(reader.Requests, 1, 40);
        }
    }

    [Fact]
    public async Task Days_are_read_from_their_last_moment_to_their_first()
    {
        var midnight = new DateTimeOffset(2026, 5, 20, 0, 0, 0, TimeSpan.Zero);
        var stored = await StoreAsync(
            [midnight.AddMilliseconds(-1), midnight, midnight.AddHours(30), midnight.AddDays(2).AddMilliseconds(-1), midnight.AddDays(2)],
            _ => "open");
        var days = new DayRange(new DateOnly(2026, 5, 20), new DateOnly(2026, 5, 21));

        AssertNewestFirst(stored.Skip(1).Take(3), await ReadAsync(new EventFilter(Days: days), 50));
        AssertNewestFirst(stored.Skip(1).Take(3), await ReadAsync(new EventFilter("opened", Days: days), 50));
    }

    [Fact]
    public async Task A_text_that_no_event_has_stops_after_a_bound_and_goes_on_when_asked()
    {
        await StoreAsync([.. Enumerable.Range(0, 7_000).Select(i => Now.AddSeconds(-i))], i => Kinds[i % Kinds.Length]);
        var reader = ReaderOf(new EventFilter(Text: "nowhere"));

        Assert.Empty(await reader.NextAsync(50, Test.Token));
        Assert.False(reader.IsAtEnd);
        Assert.InRange(reader.RowsRead, 1, NewestFirst.MaxRows + 1_000);
        Assert.InRange(reader.LookedBackTo, Now.AddSeconds(-7_000), Now);

        while (!reader.IsAtEnd)
        {
            Assert.Empty(await reader.NextAsync(50, Test.Token));
        }

        Assert.True(reader.RowsRead >= 7_000);
    }

    private NewestFirst ReaderOf(EventFilter filter) => new(service, EventSource.Of(filter), new FakeTimeProvider(Now));

    private async Task<List<StoredEvent>> ReadAsync(EventFilter filter, int count)
    {
        var reader = ReaderOf(filter);
        List<StoredEvent> all = [];
        while (!reader.IsAtEnd)
        {
            var before = reader.RowsRead;
            var page = await reader.NextAsync(count, Test.Token);

            Assert.InRange(page.Count, 0, count);
            Assert.InRange(reader.RowsRead - before, 0, MostRowsInOneCall);
            all.AddRange(page);
        }

        return all;
    }

    private static void AssertNewestFirst(IEnumerable<(string Name, string Id, DateTimeOffset Time)> expected, List<StoredEvent> read)
    {
        Assert.Equal(expected.Select(e => e.Id).Order(StringComparer.Ordinal), read.Select(e => e.EmailId).Order(StringComparer.Ordinal));
        Assert.Equal(
            expected.Select(e => EventKeys.Time(e.Time)).OrderDescending(StringComparer.Ordinal), read.Select(e => e.Key.RowKey[..24]));
    }

    private async Task<List<(string Name, string Id, DateTimeOffset Time)>> StoreAsync(
        IReadOnlyList<DateTimeOffset> times, Func<int, string> kindOf)
    {
        var table = service.GetTableClient(EventIndex.ByDayTable);
        await table.CreateIfNotExistsAsync(Test.Token);
        var all = times.Select((time, i) => (Name: kindOf(i), Id: $"email{i:00000}", Time: time)).ToList();
        foreach (var day in all.Select(RowOf).GroupBy(row => row.PartitionKey))
        {
            foreach (var chunk in day.Chunk(100))
            {
                await table.SubmitTransactionAsync(
                    chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), Test.Token);
            }
        }

        return all;
    }

    private static TableEntity RowOf((string Name, string Id, DateTimeOffset Time) e) => new(
        EventKeys.ToKey($"{EventKeys.Day(e.Time)}_{e.Name}"), EventKeys.ToKey($"{EventKeys.Time(e.Time)}_{e.Id}_0123456789abcdef"))
    {
        ["event"] = e.Name,
        ["time"] = e.Time,
        ["email_id"] = e.Id,
        ["EventPartitionKey"] = e.Id,
        ["EventRowKey"] = EventKeys.ToKey($"{EventKeys.Time(e.Time)}_{e.Name}_0123456789abcdef"),
    };
}
