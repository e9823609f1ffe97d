using CsCheck;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reconciling;

public sealed class ActivityMatchTests
{
    private const string Email = "1wQ8Fc-FnQW0hPru8K-QTTA";
    private const string Ada = "ada@example.org";

    private static readonly DateTimeOffset Noon = new(2026, 5, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_both_sides_have_is_not_missing()
    {
        var match = Match([InActivity("delivered"), InActivity("opened", 60)], [Stored("open", 60), Stored("delivered")]);

        Assert.Empty(match.Missing);
        Assert.Empty(match.Surplus);
        Assert.Empty(match.Superseded);
    }

    [Theory]
    [InlineData("processed", "processed", null)]
    [InlineData("delivered", "delivered", null)]
    [InlineData("hard-bounced", "bounce", "hard")]
    [InlineData("soft-bounced", "bounce", "soft")]
    [InlineData("rejected", "reject", null)]
    [InlineData("spam", "spam", null)]
    [InlineData("unsubscribed", "unsubscribe", null)]
    [InlineData("resubscribed", "resubscribe", null)]
    [InlineData("opened", "open", null)]
    [InlineData("clicked", "click", null)]
    public void Each_kind_has_its_name_on_either_side(string inActivity, string stored, string? bounce)
    {
        Assert.Single(Match([InActivity(inActivity)], []).Missing);
        Assert.Empty(Match([InActivity(inActivity)], [Stored(stored, bounce: bounce)]).Missing);
    }

    [Fact]
    public void A_hard_bounce_is_no_soft_one() =>
        Assert.Single(Match([InActivity("hard-bounced")], [Stored("bounce", bounce: "soft")]).Missing);

    [Fact]
    public void Two_opens_in_one_second_are_two()
    {
        var missing = Match([InActivity("opened"), InActivity("opened"), InActivity("opened")], [Stored("open")]).Missing;

        Assert.Equal(2, missing.Count);
        Assert.Equal(2, missing.Select(e => e.Id).Distinct().Count());
    }

    [Fact]
    public void As_many_as_SMTP2GO_has_are_enough_whatever_their_times_say() => Assert.Empty(
        Match([InActivity("opened"), InActivity("opened", 90)], [Stored("open", 3), Stored("open", 2_000)]).Missing);

    [Fact]
    public void Of_fewer_the_one_farthest_away_is_missing()
    {
        var missing = Match([InActivity("opened"), InActivity("opened", 90), InActivity("opened", 300)], [
            Stored("open", 91), Stored("open", 299),
        ]).Missing;

        Assert.Equal(Noon, Assert.Single(missing).Date);
    }

    [Theory]
    [InlineData("ADA@Example.ORG", Ada)]
    [InlineData("Ada <ada@example.org>", Ada)]
    [InlineData(Ada, " ada@example.org ")]
    public void An_address_is_the_same_in_any_spelling(string inActivity, string stored) => Assert.Empty(
        Match([InActivity("delivered", recipient: inActivity)], [Stored("delivered", address: stored)]).Missing);

    [Fact]
    public void An_email_id_is_case_sensitive() => Assert.Single(
        Match([InActivity("delivered")], [Stored("delivered", email: Email.ToLowerInvariant())]).Missing);

    [Fact]
    public void An_email_is_processed_once_however_often_SMTP2GO_lists_it()
    {
        ActivityEvent[] listed = [InActivity("processed"), InActivity("processed", 1, "bob@example.net")];

        Assert.Empty(Match(listed, [Stored("processed")]).Missing);
        var missing = Assert.Single(Match(listed, []).Missing);
        Assert.Equal(["ada@example.org", "bob@example.net"], missing.Recipients);
        Assert.Equal(Noon, missing.Date);
    }

    [Fact]
    public void A_filled_in_row_is_superseded_by_the_webhook_that_came_after_all()
    {
        var filledIn = FilledIn("open");

        var match = Match([InActivity("opened")], [filledIn, Stored("open")]);

        Assert.Equal([filledIn], match.Superseded);
        Assert.Empty(match.Surplus);
        Assert.Empty(match.Missing);
    }

    [Fact]
    public void It_is_superseded_even_while_others_of_its_group_are_missing()
    {
        var filledIn = FilledIn("open");

        var match = Match([InActivity("opened"), InActivity("opened", 5)], [filledIn, Stored("open")]);

        Assert.Equal([filledIn], match.Superseded);
        Assert.Equal(Noon.AddSeconds(5), Assert.Single(match.Missing).Date);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(-45)]
    public void The_webhook_s_time_may_differ_a_little(int seconds)
    {
        var filledIn = FilledIn("open");

        Assert.Equal([filledIn], Match([InActivity("opened")], [filledIn, Stored("open", seconds)]).Superseded);
    }

    [Fact]
    public void Where_SMTP2GO_may_not_list_all_yet_only_a_webhook_of_the_same_second_takes_its_place()
    {
        var filledIn = FilledIn("open");

        Assert.Empty(Match([InActivity("opened")], [filledIn, Stored("open", 30)], isSettled: false).Superseded);
        Assert.Equal([filledIn], Match([InActivity("opened")], [filledIn, Stored("open")], isSettled: false).Superseded);
    }

    [Fact]
    public void Events_of_one_second_that_say_different_things_have_ids_of_their_own_in_any_order()
    {
        ActivityEvent[] listed = [InActivity("opened") with { Host = "192.0.2.1" }, InActivity("opened") with { Host = "192.0.2.2" }];
        var ids = Match(listed, []).Missing.ToDictionary(e => e.Event.Host!, e => e.Id);

        Assert.Equal(ids, Match([.. listed.Reverse()], []).Missing.ToDictionary(e => e.Event.Host!, e => e.Id));
        foreach (var (host, other) in new[] { ("192.0.2.1", "192.0.2.2"), ("192.0.2.2", "192.0.2.1") })
        {
            var stored = FilledIn("open") with { Id = ids[host] };

            Assert.Equal(other, Assert.Single(Match(listed, [stored]).Missing).Event.Host);
            Assert.Equal(other, Assert.Single(Match([.. listed.Reverse()], [stored]).Missing).Event.Host);
        }
    }

    [Fact]
    public void A_second_filled_in_processed_is_one_too_many()
    {
        var (one, two) = (FilledIn("processed"), FilledIn("processed") with { EventRowKey = "other recipients" });

        Assert.Single(Match([InActivity("processed")], [one, two]).Superseded);
        Assert.Equal(2, Match([InActivity("processed")], [one, two, Stored("processed")]).Superseded.Count);
    }

    [Fact]
    public void A_filled_in_row_stays_if_the_other_row_is_of_another_time()
    {
        // SMTP2GO no longer has the other one: it is older than what it keeps.
        var match = Match([InActivity("opened")], [FilledIn("open"), Stored("open", -600)]);

        Assert.Empty(match.Superseded);
        Assert.Equal(Noon.AddMinutes(-10), Assert.Single(match.Surplus).Time);
    }

    [Fact]
    public void Nothing_is_superseded_by_what_SMTP2GO_no_longer_has()
    {
        var match = Match([], [FilledIn("open"), Stored("open")]);

        Assert.Empty(match.Superseded);
        Assert.Equal(2, match.Surplus.Count);
    }

    [Fact]
    public void A_number_that_is_stored_is_not_used_again()
    {
        var first = FilledIn("open");

        var missing = Assert.Single(Match([InActivity("opened"), InActivity("opened")], [first]).Missing);

        Assert.NotEqual(first.Id, missing.Id);
    }

    /// <summary>
    /// Webhooks that come late, runs that are cut short, runs that overlap: each event is there once at the end.
    /// </summary>
    /// <param name="most">By how many seconds a webhook's time may differ from the activity's.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Whatever_happens_in_between_each_event_is_stored_once_in_the_end(int most)
    {
        var gen = Gen.Select(
            Gen.Int[0, 3].Array[1, 8], // seconds of events, many of them equal
            Gen.Int[-most, most].Array[8], // by how much their webhooks' times differ
            Gen.Int[0, 2].Array[8], // what becomes of each: comes at once, comes late, never comes
            Gen.Int[0, 5].Array[0, 12]); // what happens next
        gen.Sample((seconds, skews, fates, steps) =>
        {
            var random = new Random(seconds.Sum());
            var activity = seconds.Select((second, i) => InActivity("opened", second) with { Host = $"192.0.2.{i % 2}" }).ToArray();
            var real = seconds.Select((second, i) => Stored("open", second + skews[i]) with { EventRowKey = $"real-{i}" }).ToList();
            var late = new Queue<StoredEntry>(real.Where((_, i) => fates[i] == 1));
            var stored = real.Where((_, i) => fates[i] == 0).ToList();
            var queued = new List<StoredEntry>();
            foreach (var step in steps)
            {
                switch (step)
                {
                    case 0 when late.Count > 0:
                        stored.Add(late.Dequeue());
                        break;
                    case 1:
                        Store(queued.Count / 2);
                        break;
                    case 2:
                        Store(queued.Count);
                        break;
                    default:
                        Run(atMost: step == 3 ? 1 : int.MaxValue);
                        break;
                }
            }

            stored.AddRange(late);
            for (var run = 0; run < 2; run++)
            {
                Store(queued.Count);
                Run(int.MaxValue);
            }

            Store(queued.Count);
            Assert.Equal(activity.Length, stored.Count);
            if (most == 0)
            {
                Assert.Equal(activity.Select(e => e.Date!.Value).Order(), stored.Select(row => row.Time).Order());
            }

            Assert.All(real.Where((_, i) => fates[i] < 2), row => Assert.Contains(row, stored));
            var last = Match(activity, stored);
            Assert.Equal((0, 0, 0), (last.Missing.Count, last.Superseded.Count, last.Surplus.Count));

            void Run(int atMost)
            {
                // SMTP2GO lists them in any order.
                random.Shuffle(activity);
                var match = Match(activity, stored);
                queued.AddRange(match.Missing.Take(atMost)
                    .Select(e => FilledIn("open", (int)(e.Date - Noon).TotalSeconds) with { Id = e.Id, EventRowKey = e.Id }));
                foreach (var row in match.Superseded.Take(atMost))
                {
                    stored.Remove(row);
                }
            }

            void Store(int count)
            {
                // The same id is the same event.
                stored.AddRange(queued.Take(count).Where(row => stored.TrueForAll(other => other.Id != row.Id)).DistinctBy(row => row.Id));
                queued.RemoveRange(0, count);
            }
        });
    }

    private static ActivityMatch Match(IReadOnlyList<ActivityEvent> activity, IReadOnlyList<StoredEntry> stored, bool isSettled = true) =>
        ActivityMatch.Of(activity, stored, isSettled);

    private static ActivityEvent InActivity(string name, int seconds = 0, string recipient = Ada) => new(
        Email, name, Noon.AddSeconds(seconds), recipient, [], null, null, null, null, null, null, null, null, 0);

    private static StoredEntry FilledIn(string name, int seconds = 0)
    {
        var entry = Stored(name, seconds);
        var id = Smtp2GoIngest.Reconciling.FilledIn.Id(InActivity(entry.Group.Kind.ActivityName, seconds), entry.Group, 0);
        return entry with { IsFilledIn = true, Id = id, EventRowKey = id };
    }

    private static StoredEntry Stored(
        string name, int seconds = 0, string? bounce = null, string address = Ada, string email = Email) => new(
        EventGroup.Of(email, EventKind.OfRow(name, bounce)!, address),
        Noon.AddSeconds(seconds),
        null,
        IsFilledIn: false,
        email,
        $"{EventKeys.Time(Noon.AddSeconds(seconds))}_{name}",
        string.Empty,
        string.Empty);
}
