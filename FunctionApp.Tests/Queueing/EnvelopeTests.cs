using System.Text;
using System.Xml.Linq;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Tests.Queueing;

public sealed class EnvelopeTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 2, 11, 20, 32, TimeSpan.Zero);

    private static readonly ReceivedWebhook Webhook = new(
        "0196900fb5807c3e", Now, "text/plain", "event=open", null, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

    [Fact]
    public void The_format_is_what_the_design_says() =>
        Assert.Equal(
            """
            {"v":1,"webhooks":[{"id":"0196900fb5807c3e","receivedAt":"2026-05-02T11:20:32+00:00","contentType":"text/plain",
            "body":"event=open","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}]}
            """.ReplaceLineEndings(string.Empty),
            Envelope.Wrap(Envelope.Encode(Webhook)!).ToString());

    [Fact]
    public void A_message_with_several_webhooks_is_read_as_it_was_written()
    {
        ReceivedWebhook[] webhooks =
        [
            Webhook,
            Webhook with { Id = "2", Body = "a=\"é\u0001\u0085📦<&>'+\r\n" },
            Webhook with { Id = "3", Body = null, Blob = new string('0', 64), ContentType = null, TraceParent = null },
        ];

        var content = Envelope.Read(Envelope.Wrap([.. webhooks.Select(w => Envelope.Encode(w)!)]).ToString());

        Assert.Null(content.Problem);
        Assert.Equal(webhooks, content.Entries.Select(e => e.Webhook));
    }

    [Fact]
    public void The_text_is_ASCII_that_XML_does_not_escape()
    {
        var body = new string([.. Enumerable.Range(0, 0x3000).Select(c => (char)c)]);

        var text = Envelope
            .Wrap([.. body.Chunk(1024).Select((chunk, i) => Envelope.Encode(Webhook with { Id = $"{i}", Body = new string(chunk) })!)])
            .ToString();

        Assert.All(text, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(text.Length, new XText(text).ToString(SaveOptions.DisableFormatting).Length);
    }

    [Fact]
    public void The_limit_is_on_what_is_sent_not_on_what_was_received()
    {
        var room = Envelope.MaxWebhookBytes - Envelope.Encode(Webhook with { Body = string.Empty })!.Length;

        Assert.Equal(Envelope.MaxWebhookBytes, Envelope.Encode(Webhook with { Body = new string('a', room) })!.Length);
        Assert.Null(Envelope.Encode(Webhook with { Body = new string('a', room + 1) }));
        Assert.NotNull(Envelope.Encode(Webhook with { Body = new string('&', room / 6) }));
        Assert.Null(Envelope.Encode(Webhook with { Body = new string('&', (room / 6) + 1) }));
    }

    [Fact]
    public void A_body_is_escaped_no_more_than_JSON_and_XML_need() =>
        Assert.Contains(
            """
            "body":"{\"a\":\"\\\u0026+'`\u003C\u003E\u0001\u000A\u00E9\uD83D\uDCE6\"}"
            """,
            Encoding.UTF8.GetString(Envelope.Encode(Webhook with { Body = "{\"a\":\"\\&+'`<>\u0001\né📦\"}" })!),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"v":"1","webhooks":[]}""")]
    [InlineData("""{"v":1,"webhooks":{}}""")]
    [InlineData("""{"v":99,"webhooks":[]}""")]
    public void What_is_not_an_envelope_of_this_version_has_a_problem(string message) => Assert.NotNull(Envelope.Read(message).Problem);

    [Theory]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"id":"","receivedAt":"2026-05-02T11:20:32Z","body":"x"}""")]
    [InlineData("""{"id":"1","body":"x"}""")]
    [InlineData("""{"id":"1","receivedAt":"soon","body":"x"}""")]
    [InlineData("""{"id":"1","receivedAt":"2026-05-02T11:20:32Z"}""")]
    [InlineData("""{"id":"1","receivedAt":"1500-05-02T11:20:32Z","body":"x"}""")]
    [InlineData(
        """{"id":"1","receivedAt":"2026-05-02T11:20:32Z","body":"x","blob":"00000000000000000000000000000000"""
            + """00000000000000000000000000000000"}""")]
    [InlineData("""{"id":"1","receivedAt":"2026-05-02T11:20:32Z","blob":"../secrets"}""")]
    [InlineData("""{"id":"1","receivedAt":"2026-05-02T11:20:32Z","body":"x\ud800"}""")]
    public void A_broken_webhook_does_not_affect_the_others(string entry)
    {
        var good = Encoding.UTF8.GetString(Envelope.Encode(Webhook)!);

        var content = Envelope.Read($$"""{"v":1,"webhooks":[{{good}},{{entry}},{{good}}]}""");

        Assert.Equal([Webhook, null, Webhook], content.Entries.Select(e => e.Webhook));
        Assert.Equal(entry, content.Entries[1].Json);
    }
}
