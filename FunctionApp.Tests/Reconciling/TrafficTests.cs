using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>The mail that tests of reconciling are about.</summary>
public sealed class TrafficTests
{
    private static readonly DateTimeOffset Day = Smtp2GoClient.Day;

    private static readonly IReadOnlyList<Smtp2GoEvent> Week = Traffic.Week(1, 20_000, Day);

    [Fact]
    public void A_seed_always_gives_the_same()
    {
        Assert.Equal(Traffic.Day(1, 500, Day).Select(Line), Traffic.Day(1, 500, Day).Select(Line));
        Assert.NotEqual(Traffic.Day(1, 500, Day).Select(Line), Traffic.Day(2, 500, Day).Select(Line));

        static string Line(Smtp2GoEvent it) =>
            $"{it.Id} {it.Kind} {it.Date.Ticks} {it.Email.EmailId} {it.Recipient} {it.SearchableFrom.Ticks}";
    }

    [Fact]
    public void Events_are_in_order_within_the_week_at_whole_seconds_and_each_has_an_id()
    {
        Assert.Equal(Week.Select(it => it.Date), Week.Select(it => it.Date).Order());
        Assert.All(Week, it => Assert.InRange(it.Date, Day, Day.AddDays(7).AddTicks(-1)));
        Assert.All(Week, it => Assert.Equal(0, it.Date.UtcTicks % TimeSpan.TicksPerSecond));
        Assert.Distinct(Week.Select(it => it.Id));
        Assert.All(Week, it => Assert.Matches("^[0-9a-f]{32}$", it.Id));
    }

    [Fact]
    public void The_mix_is_that_of_ordinary_mail()
    {
        var counts = Week.CountBy(it => it.Kind).ToDictionary();

        Assert.InRange(Week.Count / 20_000.0, 2.5, 3);
        Assert.All(Enum.GetValues<Smtp2GoEventKind>(), kind => Assert.True(counts.GetValueOrDefault(kind) > 0, kind.ToString()));
        Assert.Equal(Week.Where(it => it.Email.HasId).DistinctBy(it => it.Email.EmailId).Count(), counts[Smtp2GoEventKind.Processed]);
        var recipients = Week.Where(it => it.Kind == Smtp2GoEventKind.Processed).Sum(it => it.Email.Recipients.Count);
        Assert.InRange(counts[Smtp2GoEventKind.Delivered] / (double)recipients, 0.93, 0.97);
        Assert.Contains(Week, it => it is { Kind: Smtp2GoEventKind.Rejected, Email.HasId: false });
        Assert.Contains(Week, it => it is { Kind: Smtp2GoEventKind.Rejected, Email.HasId: true });
        Assert.Contains(
            Week.Where(it => it.Kind == Smtp2GoEventKind.Opened).GroupBy(it => (it.Email.EmailId, it.Recipient, it.Date)),
            sameSecond => sameSecond.Count() > 1);
        Assert.Contains(Week, it => it.SearchableFrom > it.Date.AddMinutes(10));
    }

    [Fact]
    public void An_emails_id_tells_when_it_was_submitted() => Assert.All(
        Week.Where(it => it.Kind == Smtp2GoEventKind.Processed), it => Assert.Equal(it.Date, SubmissionTime.Of(it.Email.EmailId)));

    [Fact]
    public void Nobody_real_is_in_it() => Assert.All(
        Week.SelectMany(it => it.Email.Recipients.Append(it.Email.Sender)),
        address => Assert.Matches("@([a-z]+\\.)?example(\\.(com|net|org))?$", address));
}
