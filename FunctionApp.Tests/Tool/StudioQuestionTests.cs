using Azure.Data.Tables;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What Studio's pages about events ask, against the truth and against what the tool prints.</summary>
[Collection(GeneratedEvents.Tests)]
public sealed class StudioQuestionTests(GeneratedEvents events)
{
    private static readonly FakeTimeProvider Clock = new(GeneratedEvents.Now);

    private readonly TableServiceClient service = new(events.ConnectionString);

    [Theory]
    [InlineData("event")]
    [InlineData("domain")]
    [InlineData("class")]
    [InlineData("text")]
    [InlineData("recipient")]
    [InlineData("days")]
    [InlineData("all")]
    public async Task A_filter_finds_exactly_what_it_says(string by)
    {
        var days = new DayRange(new DateOnly(2026, 5, 3), new DateOnly(2026, 5, 5));
        var (filter, expected) = by switch
        {
            "event" => (new EventFilter("bounced"), (Func<GeneratedEvents.Event, bool>)(e => e.Name == "bounce")),
            "domain" => (new EventFilter(Domain: "@Example.ORG", Event: "spam"), e => e.Name == "spam"),
            "class" => (new EventFilter(Class: "other"), e => e.Name is "bounce" or "reject"),
            "text" => (new EventFilter(Text: "PLEASE ignore"), e => e.IsTest),
            "recipient" => (new EventFilter(Text: "User7@"), e => e.Recipients.Contains("user7@example.org")),
            "days" => (new EventFilter(Days: days), e => e.Time is { } time && days.Includes(time)),
            _ => (new EventFilter(), e => true),
        };
        List<StoredEvent> read = [];
        var reader = new NewestFirst(service, EventSource.Of(filter), Clock);
        while (!reader.IsAtEnd)
        {
            read.AddRange(await reader.NextAsync(1_000, Test.Token));
        }

        Assert.Equal(
            events.All.Where(e => e.Time is not null).Where(expected).Select(e => (e.Time, e.Name, e.EmailId)).Order(),
            read.Select(e => (e.Time, e.Name, e.EmailId)).Order());
        Assert.NotEmpty(read);
        Assert.Equal(read.Select(e => e.Time).OrderDescending(), read.Select(e => e.Time));
    }

    [Fact]
    public async Task An_email_with_very_many_events_shows_the_first_and_counts_all()
    {
        var email = (await EmailTimeline.ReadAsync(service, GeneratedEvents.LongEmail, Test.Token))!;
        var tool = await ToolRun.RunAsync(events.ConnectionString, GeneratedEvents.Now, "email", GeneratedEvents.LongEmail, "--utc");

        Assert.Equal((EmailTimeline.MaxShown, 1_300, false), (email.Events.Count, email.Count, email.IsCut));
        var verdict = Assert.Single(email.Deliveries.All).Describe(TimeText.Utc, GeneratedEvents.Now);
        Assert.Contains(verdict, tool.Output, StringComparison.Ordinal);
        Assert.Null(await EmailTimeline.ReadAsync(service, "no such email", Test.Token));
    }

    [Fact]
    public async Task A_recipient_with_very_many_events_is_read_from_its_newest_emails()
    {
        const string Address = "many@example.org";
        var few = await RecipientHistory.ReadAsync(service, Address, null, 1_000, new Progress<long>(), Test.Token);
        var whole = (await RecipientHistory.ReadAsync(service, Address, null, new Progress<long>(), Test.Token))!;
        var newest = new NewestEmails(service, Address, Clock);
        await newest.ReadMoreAsync(Test.Token);

        // 100 events each, the last of them in the last email.
        Assert.Null(few);
        Assert.Equal(NewestEmails.EventsPerPage, newest.Count);
        Assert.Equal(["1wmany-14", "1wmany-13", "1wmany-12", "1wmany-11", "1wmany-10"], newest.Emails.Select(e => e.Head.EmailId));
        Assert.False(newest.IsWhole(newest.Emails[^1]));

        while (newest.HasMore)
        {
            await newest.ReadMoreAsync(Test.Token);
        }

        Assert.Equal(1_500, newest.Count);
        Assert.All(newest.Emails, email => Assert.True(newest.IsWhole(email)));
        Assert.Equal(
            whole.Emails.Reverse().Select(Line), newest.Emails.Select(Line));

        static (string, int, string) Line(ReceivedEmail email) =>
            (email.Head.EmailId, email.Events.Count, email.Delivery.Describe(TimeText.Utc, GeneratedEvents.Now));
    }

    [Fact]
    public async Task A_recipient_with_fewer_events_is_what_the_tool_says()
    {
        const string Address = "user5@example.org";
        var history = (await RecipientHistory.ReadAsync(service, Address, null, 1_000, new Progress<long>(), Test.Token))!;
        var tool = await ToolRun.RunAsync(events.ConnectionString, GeneratedEvents.Now, "recipient", Address, "--utc");
        var rates = DeliveryRates.Of(history.Emails.Select(email => email.Delivery));

        Assert.Contains(Plain(history.State.Describe(TimeText.Utc)), Plain(tool.Output), StringComparison.Ordinal);
        Assert.Equal(tool.Output.Split('\n').Count(line => line.StartsWith("Email ", StringComparison.Ordinal)), history.Emails.Count);
        Assert.Equal(history.Emails.Count(email => email.Delivery.State != DeliveryState.OnlyTests), rates.Emails);
        Assert.Equal(history.Emails.Count(email => email.Delivery is { IsOpened: true, State: not DeliveryState.OnlyTests }), rates.Opened);

        static string Plain(string text) => text.Replace('\u00a0', ' ');
    }

    [Fact]
    public async Task A_search_finds_each_email_once_and_says_how_far_it_looked()
    {
        var found = new FoundEmails(service, SearchTarget.Of("please ignore")!.Matches(), Clock);
        await found.ReadMoreAsync(Test.Token);
        var first = found.Emails.Count;
        var rows = found.RowsRead;
        while (found.HasMore)
        {
            await found.ReadMoreAsync(Test.Token);
        }

        Assert.InRange(rows, 1, (3 * NewestFirst.MaxRows) + 1_000);
        Assert.True(first <= found.Emails.Count);
        Assert.Equal(
            events.All.Where(e => e.IsTest).Select(e => e.EmailId).Distinct().Order(StringComparer.Ordinal),
            found.Emails.Select(e => e.EmailId).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(GeneratedEvents.LongEmail, true, false)]
    [InlineData("1wnone", false, false)]
    [InlineData("BUSY.O'hara+X@example.ORG", false, true)]
    public async Task A_point_query_tells_whether_there_is_such_an_email_or_recipient(string text, bool email, bool recipient)
    {
        Assert.Equal(email, await SearchTarget.HasEmailAsync(service, text, Test.Token));
        Assert.Equal(recipient, await SearchTarget.HasRecipientAsync(service, text, Test.Token));
    }
}
