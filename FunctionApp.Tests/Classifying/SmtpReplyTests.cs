using Smtp2GoIngest.Classifying;

namespace Smtp2GoIngest.Tests.Classifying;

public sealed class SmtpReplyTests
{
    [Theory]
    [InlineData("550 5.1.1 No such user", 550, "5.1.1")]
    [InlineData("550-5.1.1 No such\r\n550 5.1.1 user", 550, "5.1.1")]
    [InlineData(@"550-5.1.1 No such\n550 5.1.1 user", 550, "5.1.1")]
    [InlineData("550-Rejected\n550 5.7.1 by policy", 550, "5.7.1")]
    [InlineData("  250 2.0.0 OK", 250, "2.0.0")]
    [InlineData("250 OK", 250, null)]
    [InlineData("250", 250, null)]
    [InlineData("550", 550, null)]
    [InlineData("550: rejected", 550, null)]
    [InlineData("550 5.7.606 banned", 550, "5.7.606")]
    [InlineData("5.1.1 No such user", null, "5.1.1")]
    [InlineData("550 #5.1.0 Address rejected", 550, "5.1.0")]
    [InlineData("550 no mailbox here by that name (#5.1.1)", 550, "5.1.1")]
    [InlineData("SMTP error from remote mail server after RCPT TO:<ada@example.org>: 550 5.1.1 No such user", 550, "5.1.1")]
    [InlineData("SMTP error from remote mail server after end of data: 554 Rejected", 554, null)]
    [InlineData("SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=1: 421 4.7.0 Later", 421, "4.7.0")]
    [InlineData("host mx.example.com [192.0.2.1]: 550 Rejected", 550, null)]
    [InlineData("host mx.example.com[192.0.2.1] said: 550 5.7.1 Rejected", 550, "5.7.1")]
    [InlineData("host mx.example.com[192.0.2.1] refused to talk to me: 554 Go away", 554, null)]
    [InlineData("Remote Server returned '550 5.1.10 not found'", 550, "5.1.10")]
    [InlineData("smtp; 550 5.1.1 No such user", 550, "5.1.1")]
    public void Codes_are_read_where_a_reply_begins(string message, int? code, string? enhanced) =>
        Assert.Equal((code, enhanced), CodesOf(message));

    [Theory]
    [InlineData("550 4.7.1 of another class", 550)]
    [InlineData("550 5.9.200.7 is an IP address", 550)]
    [InlineData("550 5.1.1.mx.example.org is a name", 550)]
    [InlineData("550 5.1.1rc2 is a version", 550)]
    [InlineData("550 5.1. is nothing", 550)]
    [InlineData("550 5.1234.1 is nothing", 550)]
    [InlineData("550 see RFC 5.1.1", 550)]
    [InlineData("5500 5.1.1 is an id", null)]
    [InlineData("550AB12 is an id", null)]
    [InlineData("192.0.2.1 said no", null)]
    [InlineData("5.9.200.7 said no", null)]
    [InlineData("354 Go on", null)]
    [InlineData("650 5.1.1 No", null)]
    [InlineData("Ticket 550 5.1.1 was closed", null)]
    [InlineData("mx version 5.1.1 at 5.2.2.2", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_number_elsewhere_is_not_a_code(string? message, int? code) => Assert.Equal((code, null), CodesOf(message));

    [Theory]
    [InlineData("The User's MAILBOX-is_Full.", " the users mailbox is full ")]
    [InlineData("550-5.1.1 No such\n550 5.1.1 user", " no such user ")]
    [InlineData("550-5.1.1 No such 550 5.1.1 user", " no such user ")]
    [InlineData("550 <spam.full@example.org>: Überlauf", " überlauf ")]
    [InlineData("", " ")]
    public void Words_have_one_form(string reply, string words) => Assert.Equal(words, ReplyWords.Of(reply));

    private static (int?, string?) CodesOf(string? message)
    {
        var reply = SmtpReply.Of(message);
        return (reply.Code, reply.EnhancedCode);
    }
}
