using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using CsCheck;
using Smtp2GoIngest.Classifying;

namespace Smtp2GoIngest.Tests.Classifying;

public sealed class BounceClassifierTests
{
    private const int MostTimesSlower = 4;

    // Four times the text. What is quadratic takes 16 times as long.
    private const int MostTimesSlowerThanAQuarter = 10;

    [Theory]
    [InlineData("delivered")]
    [InlineData("open")]
    [InlineData("spam")]
    [InlineData("sms_failed")]
    [InlineData("Bounce")]
    [InlineData("")]
    public void Only_a_bounce_and_a_reject_have_a_class(string name) => Assert.Null(BounceClassifier.Of(name, "550 5.1.1 User unknown"));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("550 Requested action not taken")]
    public void Without_a_reason_the_class_is_other(string? message)
    {
        Assert.Equal(BounceClass.Other, BounceClassifier.Of("bounce", message));
        Assert.Equal(BounceClass.Other, BounceClassifier.Of("reject", message));
    }

    [Theory]
    [InlineData("550 5.7.1 Mailbox full", BounceClass.MailboxFull)]
    [InlineData("550 5.0.0 User unknown", BounceClass.InvalidRecipient)]
    [InlineData("554 5.5.0 Message too large", BounceClass.TooLarge)]
    [InlineData("421 4.7.0 DKIM is missing", BounceClass.Authentication)]
    public void A_clear_text_wins_over_a_general_code(string message, string expected) =>
        Assert.Equal(expected, BounceClassifier.Of("bounce", message));

    [Theory]
    [InlineData("550 5.1.1 To protect our users from spam", BounceClass.InvalidRecipient)]
    [InlineData("552 5.2.2 Rejected", BounceClass.MailboxFull)]
    [InlineData("550 5.7.23 Rejected", BounceClass.Authentication)]
    public void A_specific_code_needs_no_text(string message, string expected) =>
        Assert.Equal(expected, BounceClassifier.Of("bounce", message));

    [Theory]
    [InlineData("550 5.7.1 No", BounceClass.Blocked)]
    [InlineData("451 4.4.1 No", BounceClass.Unreachable)]
    [InlineData("550 5.1.0 No", BounceClass.InvalidRecipient)]
    [InlineData("554 5.6.0 No", BounceClass.Content)]
    [InlineData("554 5.0.0 No", BounceClass.Other)]
    [InlineData("554 5.7.0 No", BounceClass.Other)]
    [InlineData("500 5.5.1 No", BounceClass.Other)]
    [InlineData("550 5.99.1 No", BounceClass.Other)]
    public void A_general_code_counts_if_the_text_says_nothing(string message, string expected) =>
        Assert.Equal(expected, BounceClassifier.Of("bounce", message));

    [Fact]
    public void An_address_is_not_what_a_reply_says()
    {
        Assert.Equal(BounceClass.Other, BounceClassifier.Of("bounce", "550 <mailbox.full@spam.example> no"));
        Assert.Equal(BounceClass.Other, BounceClassifier.Of("reject", "sender@quota.example: no"));
    }

    [Theory]
    [InlineData("Recipient address could not be verified", BounceClass.Suppressed)]
    [InlineData("Sender not allowed to write to this recipient", BounceClass.SenderNotVerified)]
    [InlineData("The domain needs verification", BounceClass.SenderNotVerified)]
    [InlineData("Recipient limit exceeded", BounceClass.Other)]
    [InlineData("Attachment looks like a virus", BounceClass.Other)]
    public void A_reject_is_about_whom_it_names_first(string message, string expected) =>
        Assert.Equal(expected, BounceClassifier.Of("reject", message));

    [Theory]
    [InlineData("Too many recipients in one message", BounceClass.Other)]
    [InlineData("Message rejected for all recipients: account suspended", BounceClass.Other)]
    [InlineData("No recipient given", BounceClass.Other)]
    [InlineData("Recipient could not be processed, try later", BounceClass.Other)]
    [InlineData("Recipient verification failed", BounceClass.Other)]
    [InlineData("Recipient does not take mail from this sender", BounceClass.Other)]
    [InlineData("Recipient complained", BounceClass.Suppressed)]
    [InlineData("Not sent because of a spam complaint", BounceClass.Suppressed)]
    [InlineData("The recipient has opted out", BounceClass.Suppressed)]
    [InlineData("Address previously bounced", BounceClass.Suppressed)]
    [InlineData("This recipient is on the suppression list of this sender", BounceClass.Suppressed)]
    public void Only_a_reject_that_says_so_suppresses_the_recipient(string message, string expected) =>
        Assert.Equal(expected, BounceClassifier.Of("reject", message));

    [Fact]
    public void No_text_breaks_it_or_gets_an_unknown_class()
    {
        var piece = Gen.OneOf(
            Gen.String[0, 20],
            Gen.OneOf(
                "550", "5.1.1", " ", "-", "\n", @"\n", "@", "<", "(#5.1.1", "said: ", "SMTP error from remote: ", "user", "unknown", "'"));
        Gen.Select(piece.Array[0, 30], Gen.Bool).Sample((pieces, isBounce) => Assert.Contains(
            BounceClassifier.Of(isBounce ? "bounce" : "reject", string.Concat(pieces)), BounceClass.All));
    }

    [Theory]
    [InlineData("5.1.")]
    [InlineData("550-5.1.")]
    [InlineData("550 5.1.\n")]
    [InlineData("host a: ")]
    [InlineData(" said: said:")]
    [InlineData("SMTP error from remote: ")]
    [InlineData("(#5.1.(#")]
    [InlineData("mailbox is ful")]
    [InlineData("mailbox mailbox user unknow ")]
    [InlineData("a@")]
    [InlineData("@@@@")]
    [InlineData(@"\n\r\")]
    public void Hostile_text_costs_no_more_than_any_other(string piece)
    {
        var length = 1024 * 1024;
        var benign = "550 5.7.1 " + string.Concat(Enumerable.Repeat("the quick brown fox jumps over the lazy dog ", length / 44));
        var hostile = "550 " + string.Concat(Enumerable.Repeat(piece, length / piece.Length));
        var prefixed = "SMTP error from remote mail server " + hostile;

        var usual = Fastest(benign);

        Assert.InRange(Math.Max(Fastest(hostile), Fastest(prefixed)), 0, usual * MostTimesSlower);
    }

    [Theory]
    [InlineData("5.1.")]
    [InlineData("550-5.1.")]
    [InlineData(" said: said:")]
    [InlineData("SMTP error from remote: ")]
    [InlineData("(#5.1.(#")]
    [InlineData("mailbox mailbox user unknow ")]
    [InlineData("@@@@")]
    public void Four_times_the_text_takes_about_four_times_as_long(string piece)
    {
        var text = "SMTP error from remote mail server " + string.Concat(Enumerable.Repeat(piece, 4096));

        Assert.InRange(Fastest(text[..4096]), 0, (Fastest(text[..1024]) + 0.05) * MostTimesSlowerThanAQuarter);
    }

    /// <summary>A table without these three is a table that nobody can check.</summary>
    [Fact]
    public void Every_table_says_its_version_its_source_and_its_date()
    {
        Type[] tables = [typeof(EnhancedCodes), typeof(ReplyTexts), typeof(RejectTexts), typeof(MailboxProviders), typeof(MachineAgents)];

        Assert.All(tables, table =>
        {
            Assert.True(int.Parse(Constant(table, "Version"), CultureInfo.InvariantCulture) > 0);
            Assert.Matches("^20[0-9]{2}-[01][0-9]-[0-3][0-9]$", Constant(table, "Date"));
            Assert.NotEmpty(Constant(table, "Source"));
        });

        static string Constant(Type table, string name) =>
            (string)table.GetField(name, BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
    }

    // Milliseconds. The fastest of several, because a test machine is busy.
    private static double Fastest(string message) => Enumerable.Range(0, 20).Min(_ =>
    {
        var started = Stopwatch.GetTimestamp();
        BounceClassifier.Of("bounce", message);
        BounceClassifier.Of("reject", message);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    });
}
