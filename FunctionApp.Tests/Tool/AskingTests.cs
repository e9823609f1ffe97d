using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What the tool concludes from events, without a storage account.</summary>
public sealed class AskingTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 10, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Now = Start.AddHours(3);
    private static readonly TimeText Utc = new(TimeZoneInfo.Utc);

    [Theory]
    [InlineData("processed", "waiting: processed 3 h ago, neither delivered nor bounced so far")]
    [InlineData("processed delivered+2", "delivered after 2 s")]
    [InlineData("delivered", "delivered")]
    [InlineData("processed delivered+2 open+60 click+61", "delivered after 2 s, opened and clicked")]
    [InlineData("click+61 open+60 delivered+2 processed", "delivered after 2 s, opened and clicked")]
    [InlineData("spam-timeless", "marked as spam")]
    [InlineData("processed soft+5 soft+600 delivered+3600", "delivered after 60 min (soft bounces before that: 2)")]
    [InlineData("processed soft+5", "bounced (soft): 452 4.2.2 mailbox full")]
    [InlineData("processed soft+5 hard+9", "bounced (hard): 550 5.1.1 unknown")]
    [InlineData("processed hard+5 soft+9", "bounced (hard): 550 5.1.1 unknown")]
    [InlineData("processed delivered+2 hard+9", "delivered after 2 s; later bounced (hard): 550 5.1.1 unknown")]
    [InlineData("processed hard+2 delivered+9", "delivered after 9 s; before that bounced (hard): 550 5.1.1 unknown")]
    [InlineData("processed delivered+2 soft+9", "delivered after 2 s; later bounced (soft): 452 4.2.2 mailbox full")]
    [InlineData("rejected-recipient", "rejected because of the recipient: Recipient address could not be verified")]
    [InlineData("rejected-limit", "rejected because of the sender: Recipient limit exceeded")]
    [InlineData("rejected-address", "rejected by SMTP2GO: limit@sender.example is blocked")]
    [InlineData("hard delivered-timeless", "delivered; bounced (hard): 550 5.1.1 unknown")]
    [InlineData("suppressed", "rejected because of the recipient: Recipient is suppressed")]
    [InlineData("unverified", "rejected because of the sender: Sender is not verified")]
    [InlineData("odd", "rejected by SMTP2GO: Something else")]
    [InlineData("open", "opened, but no delivery event is stored")]
    [InlineData("delivered spam+60", "delivered; marked as spam on 2026-05-01\u00a010:01:00")]
    [InlineData("delivered unsubscribe+60", "delivered; unsubscribed on 2026-05-01\u00a010:01:00")]
    [InlineData("delivered unsubscribe+60 resubscribe+90", "delivered")]
    [InlineData("test", "only test events")]
    [InlineData("sms_delivered", "delivered")]
    [InlineData("sms_failed", "failed: 30003")]
    [InlineData("unheard-of", "not known: neither delivered nor bounced so far")]
    public void What_became_of_an_email_is_told_in_words(string events, string expected)
    {
        var delivery = new Delivery("ada@example.org");
        foreach (var e in Events(events))
        {
            delivery.Add(e);
        }

        Assert.Equal(expected, delivery.Describe(Utc, Now));
    }

    [Theory]
    [InlineData("delivered", "Mail to a@b arrives: the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData("hard delivered+9", "Mail to a@b arrives: the last delivery was on 2026-05-01 10:00:09.")]
    [InlineData(
        "delivered hard+9",
        "Mail to a@b does not arrive: it bounced for good on 2026-05-01 10:00:09 (550 5.1.1 unknown); "
        + "the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData(
        "suppressed",
        "Mail to a@b does not arrive: SMTP2GO rejected it on 2026-05-01 10:00:00 (Recipient is suppressed); "
        + "nothing was ever delivered to it.")]
    [InlineData(
        "soft#1 soft#2+9",
        "Mail to a@b may not arrive: the last 2 emails were soft bounces, most recently on 2026-05-01 10:00:09 (452 4.2.2 mailbox full); "
        + "nothing was ever delivered to it.")]
    [InlineData(
        "soft#1 soft#1+9",
        "Mail to a@b may not arrive: the last email was a soft bounce on 2026-05-01 10:00:09 (452 4.2.2 mailbox full); "
        + "nothing was ever delivered to it.")]
    [InlineData(
        "sms_failed",
        "Mail to a@b may not arrive: the last message failed on 2026-05-01 10:00:00 (30003); nothing was ever delivered to it.")]
    [InlineData(
        "delivered suppressed+9",
        "Mail to a@b does not arrive: SMTP2GO rejected it on 2026-05-01 10:00:09 (Recipient is suppressed); "
        + "the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData(
        "delivered odd+9",
        "Mail to a@b may not arrive: SMTP2GO rejected the last email on 2026-05-01 10:00:09 (Something else); "
        + "the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData(
        "delivered unverified+9",
        "Mail to a@b arrives: the last delivery was on 2026-05-01 10:00:00. "
        + "But SMTP2GO rejected one later because of the sender on 2026-05-01 10:00:09 (Sender is not verified).")]
    [InlineData("suppressed delivered+9", "Mail to a@b arrives: the last delivery was on 2026-05-01 10:00:09.")]
    [InlineData(
        "open+5",
        "Mail to a@b arrives: no delivery event is stored, but an email was opened or clicked on 2026-05-01 10:00:05.")]
    [InlineData(
        "hard delivered-timeless",
        "Mail to a@b does not arrive: it bounced for good on 2026-05-01 10:00:00 (550 5.1.1 unknown); the last delivery has no time.")]
    [InlineData("spam-timeless", "Mail to a@b should not be sent: it marked an email as spam; nothing was ever delivered to it.")]
    [InlineData(
        "delivered spam+5 hard+9",
        "Mail to a@b should not be sent: it marked an email as spam on 2026-05-01 10:00:05; the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData("delivered unsubscribe+5 resubscribe+9", "Mail to a@b arrives: the last delivery was on 2026-05-01 10:00:00.")]
    [InlineData(
        "unverified",
        "It is not known whether mail to a@b arrives: SMTP2GO rejected the email on 2026-05-01 10:00:00 (Sender is not verified).")]
    [InlineData("processed", "It is not known whether mail to a@b arrives: so far nothing was delivered and nothing bounced.")]
    [InlineData("test", "It is not known whether mail to a@b arrives: so far nothing was delivered and nothing bounced.")]
    public void Whether_mail_arrives_is_answered_in_one_sentence(string events, string expected)
    {
        var state = new AddressState("a@b");
        foreach (var row in Rows(events).OrderBy(row => row.RowKey != EventKeys.NoTime))
        {
            state.Add(row);
        }

        Assert.Equal(expected, state.Describe(Utc).Replace('\u00a0', ' '));
    }

    [Theory]
    [InlineData("click open bounce processed", "processed bounce open click")]
    [InlineData("spam delivered processed", "processed delivered spam")]
    [InlineData("open@3 click@2 processed@1", "processed click open")]
    [InlineData("open@3 click processed@1", "processed open click")]
    [InlineData("click open+1 delivered+1 processed+2", "click delivered open processed")]
    public async Task Events_in_the_same_second_come_in_the_order_in_which_they_happened(string stored, string expected)
    {
        var ordered = await Events(stored).ToAsyncEnumerable().InOrderAsync().Select(e => e.Name).ToListAsync(Test.Token);

        Assert.Equal(expected.Split(' '), ordered);
    }

    [Theory]
    [InlineData("rcpt", "Ada <ada@example.org>", "ada@example.org")]
    [InlineData("recipients", "\"Lovelace, Ada\" <ada@example.org>, bob@example.net", "ada@example.org", "bob@example.net")]
    [InlineData("destination_number", "+6421555012", "+6421555012")]
    [InlineData("rcpt", "Unavailable")]
    [InlineData("rcpt", "ada@example.org, bob@example.net", "ada@example.org", "bob@example.net")]
    public void Recipients_are_shown_as_addresses(string column, string stored, params string[] expected) =>
        Assert.Equal(expected, StoredEvent.Of(new TableEntity("p", "r") { [column] = stored }).Recipients);

    [Fact]
    public void A_list_of_recipients_that_was_cut_has_no_half_address_and_says_so()
    {
        var all = Enumerable.Range(0, 2_000).Select(i => $"user{i:0000}@example.org").ToList();
        var stored = string.Join(',', all)[..TableLimits.MaxTextLength];
        var deliveries = new Deliveries();

        deliveries.Add(StoredEvent.Of(new TableEntity("p", "r") { ["event"] = "processed", ["recipients"] = stored }));

        Assert.True(deliveries.IsIncomplete);
        Assert.Equal(all.Take(deliveries.All.Count), deliveries.All.Select(delivery => delivery.Recipient));
    }

    [Theory]
    [InlineData("sms-abc", "abc", "sms-abc")]
    [InlineData("no-email-id", "<a@example.org>", "")]
    public void Only_an_SMS_is_named_by_its_message_id(string key, string messageId, string expected) => Assert.Equal(
        expected, StoredEvent.Of(new TableEntity(key, "r") { ["event"] = "reject", ["message_id"] = messageId }).EmailId);

    [Fact]
    public void More_than_a_thousand_recipients_are_all_counted()
    {
        var deliveries = new Deliveries();
        for (var i = 0; i < 1_500; i++)
        {
            deliveries.Add(StoredEvent.Of(new TableEntity("p", "r")
            {
                ["event"] = i % 100 == 99 ? "bounce" : "delivered",
                ["bounce"] = "hard",
                ["rcpt"] = $"user{i}@example.org",
            }));
        }

        Assert.False(deliveries.IsIncomplete);
        Assert.Equal(15, deliveries.All.Count(delivery => delivery.State == DeliveryState.HardBounced));
    }

    [Theory]
    [InlineData("today", "2026-05-15", "2026-05-15")]
    [InlineData("Yesterday", "2026-05-14", "2026-05-14")]
    [InlineData("7d", "2026-05-09", "2026-05-15")]
    [InlineData("1", "2026-05-15", "2026-05-15")]
    [InlineData("2026-02", "2026-02-01", "2026-02-28")]
    [InlineData("2025", "2025-01-01", "2025-12-31")]
    [InlineData(" 2026-05-01 ", "2026-05-01", "2026-05-01")]
    [InlineData("2026-05-01..2026-05-03", "2026-05-01", "2026-05-03")]
    [InlineData("2026-05-01..today", "2026-05-01", "2026-05-15")]
    public void Days_can_be_written_in_several_ways(string text, string first, string last)
    {
        var days = DayRange.Parse(text, new DateOnly(2026, 5, 15), out var problem);

        Assert.Null(problem);
        Assert.Equal($"{first} {last}", $"{days!.First:yyyy-MM-dd} {days.Last:yyyy-MM-dd}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("0d")]
    [InlineData("-1d")]
    [InlineData("4000d")]
    [InlineData("2026-13")]
    [InlineData("2026-02-30")]
    [InlineData("2026-05-02..2026-05-01")]
    [InlineData("2016-01-01..2026-05-01")]
    [InlineData("2026-05-01..")]
    [InlineData("..")]
    [InlineData("0001-01-01")]
    [InlineData("9999-12-31")]
    public void What_is_not_a_range_of_days_is_refused_with_a_reason(string text)
    {
        Assert.Null(DayRange.Parse(text, new DateOnly(2026, 5, 15), out var problem));
        Assert.NotNull(problem);
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("Pacific/Auckland", "2026-07-01", "2026-06-30T12:00:00Z", "2026-07-01T12:00:00Z")]
    [InlineData("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z")]
    [InlineData("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")]
    [InlineData("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z")]
    [InlineData("UTC", "2026-07-01", "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z")]
    public void A_day_begins_and_ends_at_midnight_of_its_time_zone(string zone, string day, string from, string until)
    {
        var date = DateOnly.Parse(day, CultureInfo.InvariantCulture);

        var window = TimeWindow.Of(new DayRange(date, date), TimeZoneInfo.FindSystemTimeZoneById(zone));

        Assert.Equal((Time(from), Time(until)), (window.From, window.Until));
        Assert.Equal(zone == "UTC", window.IsWholeDays);
    }

    [Theory]
    [InlineData("550 5.1.1 User unknown", "550 5.1.1")]
    [InlineData("550-5.7.26 This mail is unauthenticated", "550 5.7.26")]
    [InlineData("452 mailbox full", "452")]
    [InlineData("5501 is no code", "5501 is no code")]
    [InlineData("host unreachable", "host unreachable")]
    [InlineData(null, BounceReport.NoReason)]
    public void Bounces_are_counted_by_their_codes(string? reply, string expected) => Assert.Equal(expected, BounceReport.ReasonOf(reply));

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(119, "119 s")]
    [InlineData(120, "2 min")]
    [InlineData(7_199, "119 min")]
    [InlineData(7_200, "2 h")]
    [InlineData(172_800, "2 days")]
    public void A_length_of_time_is_given_in_its_largest_unit(int seconds, string expected) =>
        Assert.Equal(expected, TimeText.Of(TimeSpan.FromSeconds(seconds)));

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Events as <c>name[#email][+seconds][@microseconds of sendtime]</c>.</summary>
    private static IEnumerable<StoredEvent> Events(string text) => Rows(text).Select(StoredEvent.Of);

    private static IEnumerable<TableEntity> Rows(string text) => text.Split(' ').Select(part =>
    {
        var (named, at) = part.Split('@') is [var before, var after] ? (before, after) : (part, null);
        (named, var email) = named.Split('#') is [var start, var rest] ? (start + rest[1..], rest[..1]) : (named, null);
        var (name, second) = named.Split('+') is [var n, var s] ? (n, int.Parse(s, CultureInfo.InvariantCulture)) : (named, 0);
        var row = new TableEntity("p", $"{EventKeys.Time(Start.AddSeconds(second))}_")
        {
            ["time"] = Start.AddSeconds(second),
            ["rcpt"] = "ada@example.org",
        };
        (row["event"], row["message"]) = name switch
        {
            "soft" => ("bounce", "452 4.2.2 mailbox full"),
            "hard" => ("bounce", "550 5.1.1 unknown"),
            "suppressed" => ("reject", "Recipient is suppressed"),
            "unverified" => ("reject", "Sender is not verified"),
            "odd" => ("reject", "Something else"),
            "rejected-recipient" => ("reject", "Recipient address could not be verified"),
            "rejected-limit" => ("reject", "Recipient limit exceeded"),
            "rejected-address" => ("reject", "limit@sender.example is blocked"),
            "spam-timeless" => ("spam", "Unavailable"),
            "delivered-timeless" => ("delivered", "Unavailable"),
            "sms_failed" => (name, "30003"),
            "test" => ("bounce", "a test"),
            _ => (name, "Unavailable"),
        };
        row["bounce"] = name is "soft" ? "soft" : "hard";
        row["IsTest"] = name == "test";
        row["email_id"] = email;
        if (name.EndsWith("-timeless", StringComparison.Ordinal))
        {
            row.RowKey = EventKeys.NoTime;
            row.Remove("time");
        }

        if (at is not null)
        {
            row["sendtime"] = Start.AddSeconds(second).AddMicroseconds(int.Parse(at, CultureInfo.InvariantCulture));
        }

        return row;
    });
}
