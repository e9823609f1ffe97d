using System.Security.Cryptography;
using System.Text;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Storing;

public sealed class EventKeysTests
{
    [Theory]
    [InlineData("email_id=1w4x2g-FnQW0hPru7M-NRRC", "1w4x2g-FnQW0hPru7M-NRRC")]
    [InlineData("message_id=9c1f2e3d", "sms-9c1f2e3d")]
    [InlineData("email_id=&message_id=9c1f2e3d", "sms-9c1f2e3d")]
    [InlineData("email_id=Unavailable", "no-email-id")]
    [InlineData("rcpt=a@x", "no-email-id")]
    [InlineData("email_id=a%2Fb%23c%3Fd%25e%3Df%09g%5Ch%C2%85", "a=2Fb=23c=3Fd=25e=3Df=09g=5Ch=C2=85")]
    [InlineData("email_id=%C3%A9+%F0%9F%93%A6", "é 📦")]
    [InlineData("email_id=o%27%29%E2%80%A8%E2%80%A9", "o=27)=E2=80=A8=E2=80=A9")]
    public void A_partition_is_an_email(string body, string expected) =>
        Assert.Equal(expected, EventKeys.PartitionKey(Read($"event=open&{body}")));

    [Theory]
    [InlineData("id=abc&event=opened&rcpt=a@x&time=2026-03-24T08:23:19.052765Z", "2026-03-24T08:23:19.052Z_open_", "3:abc4:open3:a@x")]
    [InlineData("id=abc&event=processed&recipients=a@x&recipients=b@x", "no-time_processed_", "3:abc9:processed7:a@x,b@x")]
    [InlineData("id=é&event=spam", "no-time_spam_", "2:é4:spam0:")]
    [InlineData("event=opened&b=2&B=1&b=3&a=", "no-time_open_", "1:B1:11:a0:1:b1:21:b1:35:event6:opened")]
    [InlineData("id=Unavailable&event=reject&rcpt=a@x", "no-time_reject_", "5:event6:reject2:id11:Unavailable4:rcpt3:a@x")]
    public void A_row_is_a_time_an_event_and_a_hash(string body, string begins, string hashed) =>
        Assert.Equal(begins + Hash(hashed), EventKeys.RowKey(Read(body)));

    [Theory]
    [InlineData("id=1&event=open&rcpt=a@x", "id=1&event=open&rcpt=b@x")]
    [InlineData("id=1&event=open&rcpt=a@x", "id=1&event=click&rcpt=a@x")]
    [InlineData("id=1&event=open&rcpt=a@x", "id=2&event=open&rcpt=a@x")]
    [InlineData("id=12&event=open", "id=1&event=2open")]
    [InlineData("event=reject&a=1&b=2", "event=reject&a=1b=2")]
    [InlineData("event=reject&a=1&a=2", "event=reject&a=2&a=1")]
    public void Different_events_have_different_rows(string one, string other) =>
        Assert.NotEqual(EventKeys.Hash(Read(one)), EventKeys.Hash(Read(other)));

    [Theory]
    [InlineData("id=1&event=open&rcpt=a@x&sendtime=1", "sendtime=2&rcpt=a@x&event=opened&id=1")]
    [InlineData("event=reject&a=1&b=2", "b=2&event=reject&a=1")]
    [InlineData("id=7&event=open", """{"event":"open","id":7}""")]
    [InlineData("id=7&event=open&rcpt=%3Ca@x%3E", """{"event":"open","id":"7","rcpt":" a@x "}""")]
    [InlineData("id=7&event=processed&recipients=a@x,b@x", """{"event":"processed","id":"7","recipients":["a@x","b@x"]}""")]
    [InlineData(
        "event=processed&recipients=a@x,b@x&time=2026-01-02+03:04:05",
        """{"event":"processed","recipients":["a@x","b@x"],"time":"2026-01-02T03:04:05Z"}""")]
    public void The_same_event_has_the_same_row(string one, string other) =>
        Assert.Equal(EventKeys.Hash(Read(one)), EventKeys.Hash(Read(other)));

    [Fact]
    public void A_long_key_is_cut_and_ends_in_a_hash_of_the_whole()
    {
        Assert.Equal(new string('a', 400), EventKeys.ToKey(new string('a', 400)));
        Assert.Equal(new string('a', 383) + "_" + Hash($"401:{new string('a', 401)}"), EventKeys.ToKey(new string('a', 401)));
        Assert.NotEqual(EventKeys.ToKey(new string('a', 2000)), EventKeys.ToKey(new string('a', 1999) + "b"));
    }

    [Theory]
    [InlineData(380)]
    [InlineData(381)]
    [InlineData(382)]
    [InlineData(383)]
    public void A_cut_splits_neither_an_escape_nor_a_surrogate_pair(int before)
    {
        var escape = EventKeys.ToKey(new string('a', before) + "//////////" + new string('b', 100));
        Assert.Equal(escape.Length - 17, escape.LastIndexOf('_'));
        Assert.Matches("^a+(=2F)*_[0-9a-f]{16}$", escape);
        var pair = EventKeys.ToKey(new string('a', before) + string.Concat(Enumerable.Repeat("📦", 50)));
        Assert.Matches("^a+(\ud83d\udce6)*_[0-9a-f]{16}$", pair);
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    private static EmailEvent Read(string body)
    {
        Assert.True(WebhookBody.TryParse(Encoding.UTF8.GetBytes(body), out var fields, out _));
        Assert.True(EmailEvent.TryCreate(fields, out var e));
        return e;
    }
}
