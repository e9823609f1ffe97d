using System.Globalization;
using Azure.Data.Tables;
using CsCheck;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Storing;

/// <summary>The state of an address is a pure function of its rows.</summary>
public sealed class RecipientFoldTests
{
    private const string Address = "Ada@Example.org";

    private static readonly string[] Kinds =
    [
        "delivered", "hard", "soft", "spam", "unsubscribe", "opt-out", "resubscribe", "suppressed", "unverified", "open", "test",
        "sms_delivered",
    ];

    [Theory]
    [InlineData("", "none")]
    [InlineData("delivered open click processed", "none")]
    [InlineData("unverified", "none")]
    [InlineData("odd", "none")]
    [InlineData("test", "none")]
    [InlineData("hard+5", "hard-bounced since 5, last bounce, invalid-recipient")]
    [InlineData("HARD+5", "hard-bounced since 5, last bounce, invalid-recipient")]
    [InlineData("hard+5 hard+9", "hard-bounced since 5, last bounce, invalid-recipient")]
    [InlineData("hard+5 soft+9", "hard-bounced since 5, last bounce, invalid-recipient")]
    [InlineData("hard+5 suppressed+9", "hard-bounced since 5, last reject, invalid-recipient")]
    [InlineData("hard+5 delivered+9", "active since 9, last bounce, invalid-recipient, delivered 9")]
    [InlineData("hard+5 delivered+9 delivered+11", "active since 9, last bounce, invalid-recipient, delivered 11")]
    [InlineData("hard+5 delivered+9 hard+11", "hard-bounced since 11, last bounce, invalid-recipient, delivered 9")]
    [InlineData("soft+1 soft+2", "active since ?, last bounce, mailbox-full")]
    [InlineData("soft+1 soft+2 soft+3 soft+4", "soft-bouncing since 3, last bounce, mailbox-full")]
    [InlineData("soft+1 soft+2 delivered+3 soft+4 soft+5", "active since ?, last bounce, mailbox-full, delivered 3")]
    [InlineData("soft+1 soft+2 soft+3 delivered+4 soft+5", "active since 4, last bounce, mailbox-full, delivered 4")]
    [InlineData("soft+1 hard+2 soft+3 soft+4", "hard-bounced since 2, last bounce, invalid-recipient")]
    [InlineData("soft+1 soft+2 resubscribe+3 soft+4", "active since 3, last bounce, mailbox-full")]
    [InlineData("suppressed+5", "suppressed since 5, last reject, suppressed")]
    [InlineData("suppressed+5 unverified+9", "suppressed since 5, last reject, suppressed")]
    [InlineData("suppressed+5 delivered+9", "active since 9, last reject, suppressed, delivered 9")]
    [InlineData("suppressed+5 hard+9", "hard-bounced since 9, last bounce, invalid-recipient")]
    [InlineData("suppressed+5 resubscribe+9", "active since 9, last resubscribe, suppressed")]
    [InlineData("spam+5", "complained since 5, last spam")]
    [InlineData("spam+5 delivered+9 spam+11", "complained since 5, last spam, delivered 9")]
    [InlineData("spam+5 unsubscribe+7", "complained since 5, last unsubscribe")]
    [InlineData("unsubscribe+5 spam+7", "complained since 7, last spam")]
    [InlineData("unsubscribe+5 delivered+9", "unsubscribed since 5, last unsubscribe, delivered 9")]
    [InlineData("unsubscribe+5 hard+9", "unsubscribed since 5, last bounce")]
    [InlineData("opt-out+5 sms_delivered+9", "unsubscribed since 5, last opt-out, delivered 9")]
    [InlineData("spam+1 unsubscribe+2 hard+3 suppressed+4 resubscribe+5", "active since 5, last resubscribe, suppressed")]
    [InlineData("resubscribe+5", "active since 5, last resubscribe")]
    [InlineData("resubscribe+5 unsubscribe+9", "unsubscribed since 9, last unsubscribe")]
    [InlineData("hard spam+1 delivered+2 resubscribe+3 delivered+4", "active since 3, last resubscribe, invalid-recipient, delivered 4")]
    [InlineData("hard-timeless", "hard-bounced since ?, last bounce, invalid-recipient")]
    [InlineData("delivered-timeless hard+5", "hard-bounced since 5, last bounce, invalid-recipient")]
    [InlineData("hard-timeless delivered+5", "active since 5, last bounce, invalid-recipient, delivered 5")]
    [InlineData("spam-ancient", "complained since ?, last spam")]
    [InlineData("delivered hard", "active since 0, last bounce, invalid-recipient, delivered 0")]
    public void A_state_is_told_by_the_events_in_order_of_time(string events, string expected)
    {
        var rows = events.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((text, i) => RowOf(text, i));

        Assert.Equal(expected, Describe(Fold(rows)));
    }

    [Fact]
    public void Order_and_repetition_change_nothing_and_a_naive_judge_comes_to_the_same() => Gen
        .Select(Gen.Int[0, Kinds.Length - 1], Gen.Int[-1, 12], (kind, second) => (Kind: kind, Second: second))
        .Array[0, 14]
        .Select(Gen.Int)
        .Sample(
            (events, seed) =>
            {
                var rows = events
                    .Select((e, i) => RowOf(Kinds[e.Kind] + (e.Second < 0 ? "-timeless" : $"+{e.Second}"), i))
                    .ToList();
                var state = Fold(rows);
                var shuffled = rows.Concat(rows.Take(rows.Count / 2)).ToArray();
                new Random(seed).Shuffle(shuffled);

                Assert.Equal(state, Fold(shuffled));
                Assert.Equal(state, RecipientsAgree.Judge(rows.Select(JudgedOf)));
            },
            iter: 10_000);

    [Fact]
    public void The_class_of_a_row_without_that_column_is_found_in_its_message()
    {
        var row = new TableEntity("ada@example.org", $"{EventKeys.Time(Start)}_reject_e_h") { ["event"] = "reject" };
        Assert.False(RecipientFold.IsStateEvent(row));

        row["message"] = "Recipient is on the suppression list";
        Assert.True(RecipientFold.IsStateEvent(row));

        row[ColumnNames.BounceClass] = BounceClass.SenderNotVerified;
        Assert.False(RecipientFold.IsStateEvent(row));
    }

    [Fact]
    public void A_column_of_another_type_counts_as_missing()
    {
        var row = new TableEntity("ada@example.org", "no-time")
        {
            ["event"] = "bounce",
            ["bounce"] = 1,
            ["message"] = true,
            ["IsTest"] = "x",
        };

        var state = Fold([row]);

        Assert.Equal("ada@example.org", state!.Recipient);
        Assert.Equal("active since ?, last bounce, other", Describe(state));
    }

    private static DateTimeOffset Start { get; } = new(2026, 5, 1, 10, 0, 0, TimeSpan.Zero);

    // As a table keeps them: each key once, in order, and then those without a time first.
    private static RecipientState? Fold(IEnumerable<TableEntity> rows)
    {
        var fold = new RecipientFold();
        foreach (var row in rows
            .DistinctBy(row => row.RowKey)
            .OrderBy(row => !RecipientFold.IsTimeless(row))
            .ThenBy(row => row.RowKey, StringComparer.Ordinal))
        {
            fold.Add(row);
        }

        return fold.State;
    }

    /// <summary>An event as <c>kind[+second]</c>, <c>kind-timeless</c> or <c>kind-ancient</c>.</summary>
    private static TableEntity RowOf(string text, int n)
    {
        var (named, second) = text.Split('+') is [var before, var after]
            ? (before, int.Parse(after, CultureInfo.InvariantCulture))
            : (text, 0);
        var kind = named
            .Replace("-timeless", string.Empty, StringComparison.Ordinal)
            .Replace("-ancient", string.Empty, StringComparison.Ordinal);
        var (name, more) = kind switch
        {
            "hard" => ("bounce", "&bounce=hard&message=550 5.1.1 no such user"),
            "HARD" => ("bounce", "&bounce=HARD&message=550 5.1.1 no such user"),
            "soft" => ("bounce", "&bounce=soft&message=452 4.2.2 mailbox full"),
            "suppressed" => ("reject", "&message=Recipient is suppressed"),
            "unverified" => ("reject", "&message=Sender is not verified"),
            "odd" => ("reject", "&message=Something else"),
            "test" => ("bounce", "&bounce=hard&subject=Mail test - please ignore&sendtime=2015-08-04T22:39:34Z"),
            _ => (kind, string.Empty),
        };
        var time = named.EndsWith("-timeless", StringComparison.Ordinal) ? string.Empty
            : named.EndsWith("-ancient", StringComparison.Ordinal) ? "&time=1066-10-14T09:00:00Z"
            : $"&time={EventTime.ToText(Start.AddSeconds(second))}";
        var body = $"event={name}&id={n}&email_id=e{n}&rcpt={(n % 2 == 0 ? Address : Address.ToLowerInvariant())}{more}{time}";
        Assert.True(EmailEvent.TryParse(System.Text.Encoding.UTF8.GetBytes(body), out var e, out _));
        var webhook = new ReceivedWebhook("w", Start, null, body, null);
        return Assert.Single(EventIndex.ByRecipient(e, EventColumns.ToRow(e, webhook)));
    }

    private static RecipientEvent JudgedOf(TableEntity row)
    {
        var name = row.GetString("event");
        return new RecipientEvent(
            row.RowKey,
            row.RowKey.StartsWith("no-time", StringComparison.Ordinal) ? null : (DateTimeOffset)row["time"],
            name,
            (bool)row["IsTest"],
            row.GetString("bounce") == "hard",
            name is "bounce" or "reject" ? BounceClassifier.Of(name, row.GetString("message")) : null,
            row.GetString("Recipient"));
    }

    private static string Describe(RecipientState? state) => state is null ? "none" : string.Join(", ", new[]
    {
        $"{state.State} since {Seconds(state.StateSince) ?? "?"}",
        $"last {state.LastEvent}",
        state.BounceClass,
        Seconds(state.LastDelivered) is { } delivered ? $"delivered {delivered}" : null,
    }.OfType<string>());

    private static string? Seconds(DateTimeOffset? time) =>
        time is { } t ? FormattableString.Invariant($"{(t - Start).TotalSeconds}") : null;
}
