using System.Globalization;
using System.Text;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Tests.Classifying;

public sealed class EventFactsTests
{
    private const string Delivered = "event=delivered&time=2026-03-24T08:23:19Z&email_id=1w4x2g-FnQW0hPru7M-NRRC";

    [Fact]
    public void A_delivered_event_says_who_took_it_how_and_how_fast() => Assert.Equal(
        new EventFacts
        {
            RecipientDomain = "example.org",
            MailboxProvider = "gmail",
            SmtpCode = 250,
            EnhancedCode = "2.0.0",
            DeliverySeconds = 5,
        },
        Of($"{Delivered}&rcpt=Ada@Example.ORG&host=aspmx.l.google.com+%5B203.0.113.22%5D&message=250+2.0.0+OK"));

    [Fact]
    public void A_bounce_says_why() => Assert.Equal(
        new EventFacts
        {
            RecipientDomain = "x.example",
            SmtpCode = 550,
            EnhancedCode = "5.1.1",
            BounceClass = BounceClass.InvalidRecipient,
        },
        Of("event=bounce&rcpt=a@x.example&host=mx.x.example&message=550+5.1.1+No"));

    [Fact]
    public void An_event_that_says_nothing_has_no_facts()
    {
        Assert.Equal(new EventFacts(), Of("event=processed&recipients=a@x.example&recipients=b@x.example"));
        Assert.Equal(new EventFacts(), Of("event=sms_delivered&destination_number=%2B31600000001"));
        Assert.Equal(new EventFacts(), Of("event=spam&message="));
    }

    [Theory]
    [InlineData("a@Example.ORG", "example.org")]
    [InlineData("\"odd@local\"@x.example", "x.example")]
    [InlineData("a@BÜCHER.example", "bücher.example")]
    [InlineData("a@xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("a@x.example.", "x.example")]
    [InlineData("a@localhost", "localhost")]
    [InlineData("example.org", null)]
    [InlineData("@example.org", null)]
    [InlineData("a@", null)]
    [InlineData("a@x y.example", null)]
    [InlineData("a@x..example", null)]
    [InlineData("a@.example", null)]
    [InlineData("a@[192.0.2.1]", null)]
    [InlineData("+31600000001", null)]
    [InlineData("[forgotten]", null)]
    [InlineData("a@x\u0001.example", null)]
    [InlineData("a@\ud800.example", null)]
    public void A_domain_is_what_follows_the_last_at_sign(string address, string? domain) =>
        Assert.Equal(domain, RecipientDomain.Of(address));

    [Fact]
    public void A_domain_has_253_characters_at_most()
    {
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 60), 4)) + ".example12";

        Assert.Equal(longest[..253], RecipientDomain.Of("a@" + longest[..253]));
        Assert.Null(RecipientDomain.Of("a@" + longest + "3456"));
    }

    [Theory]
    [InlineData("rcpt=a@x.example", "x.example")]
    [InlineData("recipients=a@x.example", "x.example")]
    [InlineData("rcpt=a@x.example&recipients=b@y.example&recipients=c@z.example", "x.example")]
    [InlineData("recipients=b@y.example,c@y.example", null)]
    [InlineData("rcpt=a@x.example,b@x.example", null)]
    [InlineData("rcpt=Ada+%3Ca@x.example%3E", "x.example")]
    [InlineData("rcpt=Unavailable", null)]
    public void A_domain_is_of_the_one_recipient(string fields, string? domain) =>
        Assert.Equal(domain, Of($"event=processed&{fields}").RecipientDomain);

    [Theory]
    [InlineData("aspmx.l.google.com [203.0.113.22]", "own.example", "gmail")]
    [InlineData("ALT1.GMAIL-SMTP-IN.L.GOOGLE.COM", "gmail.com", "gmail")]
    [InlineData("aspmx2.googlemail.com.", "own.example", "gmail")]
    [InlineData("own-example.mail.protection.outlook.com [203.0.113.22]", "own.example", "microsoft365")]
    [InlineData("own-example.a-v1.mx.microsoft", "own.example", "microsoft365")]
    [InlineData("hotmail-com.olc.protection.outlook.com", "hotmail.com", "outlook.com")]
    [InlineData("mta5.am0.yahoodns.net", "aol.com", "yahoo")]
    [InlineData("mx01.mail.icloud.com", "me.com", "icloud")]
    [InlineData("mail.protonmail.ch", "own.example", "proton")]
    [InlineData("mx.zoho.eu", "own.example", "zoho")]
    [InlineData("in1-smtp.messagingengine.com", "own.example", "fastmail")]
    [InlineData("mx00.emig.gmx.net", "gmx.de", "gmx")]
    [InlineData("mx-ha.web.de", "web.de", "gmx")]
    [InlineData("mx.yandex.ru", "own.example", "yandex")]
    [InlineData("mxs.mail.ru", "bk.ru", "mail.ru")]
    [InlineData("eu-smtp-inbound-1.mimecast.com", "own.example", "mimecast")]
    [InlineData("mx1-us1.ppe-hosted.com", "own.example", "proofpoint")]
    [InlineData("d1.ess.barracudanetworks.com", "own.example", "barracuda")]
    [InlineData("mx1.hc1-1.iphmx.com", "own.example", "cisco")]
    [InlineData("mx.evil-google.com", "own.example", null)]
    [InlineData("google.com.evil.example", "own.example", null)]
    [InlineData("googleXcom", "own.example", null)]
    [InlineData("203.0.113.22", "gmail.com", "gmail")]
    [InlineData("[203.0.113.22]", "hotmail.co.uk", "outlook.com")]
    [InlineData("mx.own.example", "own.example", null)]
    [InlineData(null, "yahoo.fr", "yahoo")]
    [InlineData(null, "notgmail.com", null)]
    [InlineData(null, null, null)]
    [InlineData("", "", null)]
    public void A_provider_is_known_by_its_server_or_else_by_its_domain(string? host, string? domain, string? provider) =>
        Assert.Equal(provider, MailboxProvider.Of(host, domain));

    [Theory]
    [InlineData("1w4x2g-FnQW0hPru7M-NRRC", "2026-03-24T08:23:14Z")]
    [InlineData("1vomg2-FnQW0hPru7M-NRRC", "2026-02-07T18:05:02Z")]
    [InlineData("1w4x2g-BI6MKi-K9", "2026-03-24T08:23:14Z")]
    [InlineData("000000-000000-00", "1970-01-01T00:00:00Z")]
    [InlineData("1w4x2-gFnQW0hPru7M-NRRC", null)]
    [InlineData("1w4x2g-FnQW0hPru7-NRRCC", null)]
    [InlineData("1w4x2g-FnQW0hPru7M-NRR", null)]
    [InlineData("1w4x2g-FnQW0hPru7M-NRRCC", null)]
    [InlineData("1w4x2g-FnQW0hP-u7M-NRRC", null)]
    [InlineData("1w4x2g-FnQW0h!ru7M-NRRC", null)]
    [InlineData("1w4x2g-FnQW0h-ru7M-NRRC", null)]
    [InlineData("1w4x2g_FnQW0hPru7M-NRRC", null)]
    [InlineData("1w4x2.-FnQW0hPru7M-NRRC", null)]
    [InlineData("1w4x2g-FnQW0hPru7M-NR C", null)]
    [InlineData("1w4x2é-BI6MKi-K9", null)]
    [InlineData("1w4x2g", null)]
    [InlineData("", null)]
    public void The_id_of_an_email_begins_with_the_second_of_its_submission(string emailId, string? time) => Assert.Equal(
        time is null ? null : DateTimeOffset.Parse(time, CultureInfo.InvariantCulture), SubmissionTime.Of(emailId));

    [Theory]
    [InlineData("2026-03-24T08:23:19Z", 5.0)]
    [InlineData("2026-03-24T08:23:19.5Z", 5.5)]
    [InlineData("2026-03-24T08:23:14Z", 0.0)]
    [InlineData("2026-03-24T08:23:12Z", 0.0)]
    [InlineData("2026-03-24T08:23:11.9Z", null)]
    [InlineData("2026-04-03T08:23:14Z", 864_000.0)]
    [InlineData("2026-04-03T08:23:15Z", null)]
    [InlineData("2019-06-18T16:10:32Z", null)]
    [InlineData("soon", null)]
    public void Delivery_takes_from_0_seconds_to_10_days(string time, double? seconds) =>
        Assert.Equal(seconds, Of($"event=delivered&email_id=1w4x2g-FnQW0hPru7M-NRRC&time={time}").DeliverySeconds);

    [Theory]
    [InlineData("processed")]
    [InlineData("bounce")]
    [InlineData("open")]
    public void Only_a_delivery_takes_time(string name) => Assert.Null(
        Of($"event={name}&email_id=1w4x2g-FnQW0hPru7M-NRRC&time=2026-03-24T08:23:19Z").DeliverySeconds);

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "gmail-image-proxy")]
    [InlineData("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "yahoo-image-proxy")]
    [InlineData("Mozilla/5.0", "apple-mail-privacy")]
    [InlineData("Barracuda Sentinel (EE)", "barracuda-scanner")]
    [InlineData("Mozilla/5.0 (compatible; Mimecast/1.0)", "mimecast-scanner")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Office Existence Discovery", "microsoft-link-check")]
    [InlineData("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "link-preview")]
    [InlineData("WhatsApp/2.23.20.0 A", "link-preview")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36", "headless-browser")]
    [InlineData("curl/8.5.0", "script")]
    [InlineData("PYTHON-REQUESTS/2.31", "script")]
    [InlineData("Go-http-client/2.0", "script")]
    [InlineData("Mozilla/5.0 (compatible; SomeBot/2.1; +https://bot.example/about)", "bot")]
    public void A_machine_is_known_by_its_user_agent(string agent, string reason)
    {
        var facts = Of($"event=open&user-agent={Uri.EscapeDataString(agent)}");

        Assert.Equal((true, reason), (facts.LikelyMachine, facts.MachineReason));
        Assert.Null(Of($"event=delivered&user-agent={Uri.EscapeDataString(agent)}").LikelyMachine);
    }

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)")]
    [InlineData("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/8.0; Microsoft Outlook 16.0.5000; ms-office; MSOffice 16)")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Thunderbird/140.0")]
    [InlineData("Outlook-iOS/2.0")]
    [InlineData("Mozilla/5.0 (Linux; Android 9; CUBOT X20 PRO Build/PPR1) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36")]
    [InlineData("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/450.0]")]
    [InlineData("Opera/9.80 (Windows NT 6.1) Presto/2.12 Version/12.16")]
    [InlineData("Unavailable")]
    public void A_person_is_not_called_a_machine(string agent)
    {
        Assert.Null(Of($"event=open&user-agent={Uri.EscapeDataString(agent)}").LikelyMachine);
        Assert.Null(Of($"event=click&user-agent={Uri.EscapeDataString(agent)}").MachineReason);
    }

    [Fact]
    public void A_bare_user_agent_that_clicks_is_not_Apples() =>
        Assert.Equal("bare-user-agent", Of("event=click&user-agent=Mozilla/5.0").MachineReason);

    [Fact]
    public void No_event_but_a_bounce_or_reject_has_a_class() => Assert.All(
        EventName.OfEmails.Concat(EventName.OfSms),
        name => Assert.Equal(name is "bounce" or "reject", Of($"event={name}&message=550+5.1.1+No").BounceClass is not null));

    private static EventFacts Of(string body)
    {
        Assert.True(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out var e, out _));
        return EventFacts.Of(e);
    }
}
