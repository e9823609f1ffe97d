using System.Globalization;
using System.Text;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Tests.Parsing;

public sealed class EmailEventTests
{
    [Theory]
    [InlineData("processed", "processed")]
    [InlineData("opened", "open")]
    [InlineData("clicked", "click")]
    [InlineData("bounced", "bounce")]
    [InlineData("spam_complaint", "spam")]
    [InlineData("unsubscribed", "unsubscribe")]
    [InlineData("resubscribed", "resubscribe")]
    [InlineData("rejected", "reject")]
    [InlineData("sms_delivered", "sms_delivered")]
    [InlineData("sms_opt_out", "opt-out")]
    [InlineData("Quarantined", "Quarantined")]
    public void An_event_has_one_spelling(string sent, string expected) => Assert.Equal(expected, Read($"event={sent}").Name);

    [Theory]
    [InlineData("a=b")]
    [InlineData("event=")]
    [InlineData("event=Unavailable")]
    [InlineData("Event=open")]
    [InlineData("""{"event":{"name":"open"}}""")]
    [InlineData("""{"event":null}""")]
    public void Without_a_value_for_event_there_is_no_event(string body)
    {
        Assert.False(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out _, out var problem));
        Assert.Equal(BodyProblem.NoEvent, problem);
    }

    [Theory]
    [InlineData("", BodyProblem.Empty)]
    [InlineData("{", BodyProblem.MalformedJson)]
    [InlineData("[]", BodyProblem.NotAnObject)]
    [InlineData("event", BodyProblem.NoPairs)]
    public void A_body_that_cannot_be_read_says_why_there_is_no_event(string body, BodyProblem expected)
    {
        Assert.False(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData("event=&event=open&event=click", "open")]
    [InlineData("""{"event":[{"x":1},"","click"]}""", "click")]
    [InlineData("""{"event":7}""", "7")]
    public void The_first_scalar_with_text_counts(string body, string expected) => Assert.Equal(expected, Read(body).Name);

    [Fact]
    public void Unavailable_is_missing()
    {
        var e = Read(
            "event=reject&email_id=Unavailable&id=Unavailable&rcpt=Unavailable&message_id=Unavailable"
            + "&recipients=Unavailable&time=Unavailable");

        Assert.Null(e.EmailId);
        Assert.Null(e.Id);
        Assert.Empty(e.About);
        Assert.Null(e.MessageId);
        Assert.Null(e.Time);
        Assert.Empty(e.Recipients);
    }

    [Theory]
    [InlineData("recipients=a@x&recipients=b@x")]
    [InlineData("recipients[]=a@x&recipients[]=b@x")]
    [InlineData("recipients%5B%5D=a@x&recipients%5B%5D=b@x")]
    [InlineData("recipients=a@x,b@x")]
    [InlineData("recipients=a@x; b@x;")]
    [InlineData("recipients=[\"a@x\",\"b@x\"]")]
    [InlineData("recipients=%5B%22a%40x%22%2C%22b%40x%22%5D")]
    [InlineData("""{"event":"processed","recipients":["a@x","b@x"]}""")]
    [InlineData("""{"event":"processed","recipients":"a@x,b@x"}""")]
    public void Recipients_are_read_however_they_are_written(string body) =>
        Assert.Equal(["a@x", "b@x"], Read(body.StartsWith('{') ? body : $"event=processed&{body}").Recipients);

    [Theory]
    [InlineData("""{"event":"processed","recipients":["\"Day, Ada\" <ada@x>","\"a,b\"@x"]}""", "ada@x|\"a,b\"@x")]
    [InlineData("recipients=\"a,b\"@x&recipients=c;d@x", "\"a,b\"@x|c;d@x")]
    [InlineData("recipients[]=\"a,b\"@x", "\"a,b\"@x")]
    [InlineData("recipients=\"Day, Ada\" <ada@x>, \"a;b\"@x;<c@x>", "ada@x|\"a;b\"@x|c@x")]
    [InlineData("recipients=o\"brien@x, b@x", "o\"brien@x|b@x")]
    [InlineData("recipients=\"a\\\"b, c\" <x@y>, \"D, E\" <d@e>", "x@y|d@e")]
    [InlineData("recipients=\"ACME\\\\\" <a@x>, \"B\" <b@y>", "a@x|b@y")]
    [InlineData("recipients=['a@x', 'b@x']", "a@x|b@x")]
    [InlineData("recipients=[\"n'a@x\", 'b@x']", "n'a@x|b@x")]
    [InlineData("recipients=['a@x'", "['a@x'")]
    public void An_element_is_one_recipient_and_a_joined_text_splits_outside_quotes(string body, string expected) =>
        Assert.Equal(expected, string.Join('|', Read(body.StartsWith('{') ? body : $"event=processed&{body}").Recipients));

    [Fact]
    public void Brackets_that_are_never_closed_take_linear_time()
    {
        // Eight times as many: quadratic time would be 64 times as long. On a busy machine, few of the long runs are undisturbed.
        TimeOf(1_000_000);
        var few = Enumerable.Range(0, 20).Min(_ => TimeOf(125_000));
        Assert.Contains(Enumerable.Range(0, 50), _ => TimeOf(1_000_000) <= 32 * few);

        double TimeOf(int length)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            Read($"event=open&rcpt=a\"<{new string('<', length)}");
            return watch.Elapsed.TotalMilliseconds;
        }
    }

    [Theory]
    [InlineData("rcpt=+ada@x+", "ada@x")]
    [InlineData("rcpt=%3Cada@x%3E", "ada@x")]
    [InlineData("rcpt=Ada+%3C+ada@x+%3E", "ada@x")]
    [InlineData("rcpt=%09&rcpt=ada@x", "ada@x")]
    [InlineData("""{"event":"open","rcpt":["ada@x","bob@x"]}""", "ada@x|bob@x")]
    public void Whom_an_event_is_about_is_read_without_blanks_and_names(string body, string expected) =>
        Assert.Equal(expected, string.Join('|', Read(body.StartsWith('{') ? body : $"event=open&{body}").About));

    [Theory]
    [InlineData("recipients=[broken,a@x", "[broken|a@x")]
    [InlineData("recipients=[\"a@x\",null]", "a@x")]
    [InlineData("recipients=[null]", "")]
    [InlineData("recipients=[7]", "[7]")]
    [InlineData("""{"event":"processed","recipients":{"a":"b@x"}}""", "")]
    public void A_list_that_is_not_a_list_never_throws(string body, string expected) =>
        Assert.Equal(expected, string.Join('|', Read(body.StartsWith('{') ? body : $"event=processed&{body}").Recipients));

    [Theory]
    [InlineData("time=2026-01-02T03:04:05Z&received_timestamp=2020-01-01T00:00:00Z", "2026-01-02T03:04:05.0000000")]
    [InlineData(
        "time=soon&received_timestamp=2026-01-02T03:04:05Z&submitted_timestamp=2020-01-01T00:00:00Z", "2026-01-02T03:04:05.0000000")]
    [InlineData("submitted_timestamp=2026-01-02T03:04:05Z", "2026-01-02T03:04:05.0000000")]
    public void The_time_is_the_first_of_three(string body, string expected) =>
        Assert.Equal(
            expected,
            Read($"event=open&{body}").Time!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("2026-03-24T08:23:19Z", "2026-03-24T08:23:19.0000000")]
    [InlineData("2026-03-24T08:23:19.052765+00:00", "2026-03-24T08:23:19.0527650")]
    [InlineData("2026-03-24T10:23:19+02:00", "2026-03-24T08:23:19.0000000")]
    [InlineData("2019-06-18 16:10:32.977062", "2019-06-18T16:10:32.9770620")]
    [InlineData(" 2026-03-24T08:23:19 ", "2026-03-24T08:23:19.0000000")]
    [InlineData("1500-01-01T00:00:00Z", "1500-01-01T00:00:00.0000000")]
    [InlineData("10:30", null)]
    [InlineData("1/2", null)]
    [InlineData("2026-03-24T08:23:19.123456789Z", "2026-03-24T08:23:19.1234567")]
    [InlineData("2026-03-24t08:23:19.05z", "2026-03-24T08:23:19.0500000")]
    [InlineData("2026-03-24 10:23:19.1234567899+02:00", "2026-03-24T08:23:19.1234567")]
    [InlineData("2026-03-24T10:23:19+0200", "2026-03-24T08:23:19.0000000")]
    [InlineData("2015-06-30T23:59:60Z", "2015-06-30T23:59:59.9999999")]
    [InlineData("2015-07-01T01:59:60.5+02:00", "2015-06-30T23:59:59.9999999")]
    [InlineData("Tue, 24 Mar 2026 08:23:19 +0000", "2026-03-24T08:23:19.0000000")]
    [InlineData("Tue, 3 Mar 2026 10:23:19 +0200", "2026-03-03T08:23:19.0000000")]
    [InlineData("Tue, 24 Mar 2026 08:23:19 GMT", "2026-03-24T08:23:19.0000000")]
    [InlineData("1774340599", "2026-03-24T08:23:19.0000000")]
    [InlineData("1774340599.25", "2026-03-24T08:23:19.2500000")]
    [InlineData("1774340599250", "2026-03-24T08:23:19.2500000")]
    [InlineData("\u00a01774340599", null)]
    [InlineData("1774340599\u2003", null)]
    [InlineData("\u00852026-03-24T08:23:19z", null)]
    [InlineData("\u0661774340599", null)]
    [InlineData("177434059", null)]
    [InlineData("17743405991", null)]
    [InlineData("2026-03-24T08:23:61Z", null)]
    [InlineData("2026-03-24T08:23:19,052Z", null)]
    [InlineData("Mon, 24 Mar 2026 08:23:19 GMT", null)]
    [InlineData("0001-01-01T00:00:00+14:00", null)]
    [InlineData("2026-02-30T00:00:00Z", null)]
    [InlineData("", null)]
    public void A_time_is_read_exactly_or_not_at_all(string text, string? expected) =>
        Assert.Equal(
            expected, EventTime.TryParse(text, out var time)
                ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture)
                : null);

    [Theory]
    [InlineData("subject=Mail test - please ignore&sendtime=2015-08-04T22:39:34Z", true)]
    [InlineData("Subject=Mail+test+-+please+ignore&sendtime=2015-08-04T22:39:34Z", true)]
    [InlineData("subject=Mail test - please ignore&sendtime=2026-08-04T22:39:34Z", false)]
    [InlineData("subject=Mail test&sendtime=2015-08-04T22:39:34Z", false)]
    public void The_test_button_is_known_by_subject_and_sendtime(string body, bool expected) =>
        Assert.Equal(expected, Read($"event=open&{body}").IsTest);

    [Theory]
    [InlineData("event=open&a=1&b=2", "b=2&event=opened&a=1", true)]
    [InlineData("event=open&sendtime=1", "event=open&sendtime=2", true)]
    [InlineData("event=open&a=1", """{"event":"open","a":1}""", true)]
    [InlineData("event=open&a=1", "event=open&a=2", false)]
    [InlineData("event=open&a=1", "event=open", false)]
    [InlineData("event=open&a=1&a=2", "event=open&a=2&a=1", false)]
    [InlineData("event=open&A=1", "event=open&a=1", false)]
    [InlineData("event=processed&recipients=a@x,b@x", """{"event":"processed","recipients":["a@x","b@x"]}""", true)]
    [InlineData("event=processed&recipients[]=a@x&recipients[]=b@x", """{"event":"processed","recipients":["a@x","<b@x>"]}""", true)]
    [InlineData("event=processed&recipients=a@x,b@x", "event=processed&recipients=b@x,a@x", false)]
    [InlineData("event=open&opened-at=2026-01-01+10:00:00", """{"event":"opened","opened-at":"2026-01-01T12:00:00.000+02:00"}""", true)]
    [InlineData("event=open&opened-at=2026-01-01+10:00:00", "event=open&opened-at=2026-01-01+10:00:01", false)]
    [InlineData("event=open&read-secs=30", """{"event":"open","read-secs":3.0e1}""", true)]
    [InlineData("event=open&code=007", "event=open&code=7", false)]
    [InlineData("event=open&from_name=", """{"event":"open","host":null,"tags":[]}""", true)]
    [InlineData("event=open&X-Tag=[\"a\",\"b\"]", """{"event":"open","X-Tag":["a","b"]}""", true)]
    [InlineData("event=open&n=[1,2.0]", """{"event":"open","n":[1,2.0]}""", true)]
    [InlineData("event=open&subject=2.10", "event=open&subject=2.1", false)]
    [InlineData("event=open&read-secs=1e-30", "event=open&read-secs=0", false)]
    [InlineData("""{"event":"open","a":[["a","b"],["c"]]}""", """{"event":"open","a":["a",["b","c"]]}""", false)]
    [InlineData("""{"event":"open","rcpt":{"email":"a@x"}}""", """{"event":"open","rcpt":{"email":"b@x"}}""", false)]
    [InlineData("""{"event":"open","recipients":[{"e": 1}]}""", """{"event":"open","recipients":[{"e":1}]}""", true)]
    [InlineData("event=open&o={\"a\": 1, \"b\":[]}", """{"event":"open","o":{"a":1,"b":[ ]}}""", true)]
    [InlineData("event=open&o={\"a\":1}", """{"event":"open","o":{"a":2}}""", false)]
    [InlineData("event=open&X-Tag[]=a&X-Tag[]=b", """{"event":"open","X-Tag":["a","b"]}""", true)]
    public void Two_events_say_the_same_in_any_order_format_and_spelling(string one, string other, bool expected) =>
        Assert.Equal(expected, Read(one).SaysTheSameAs(Read(other)));

    private static EmailEvent Read(string body)
    {
        Assert.True(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out var e, out var problem));
        Assert.Equal(BodyProblem.None, problem);
        return e;
    }
}
