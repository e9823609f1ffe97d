using System.Text.Json;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Tests.Maintaining;

public sealed class RedactionTests
{
    private static readonly AddressPattern Ada = AddressPattern.Parse("ada@x.example")!;

    [Theory]
    [InlineData("rcpt", "\"ada@x.example,bob@x.example\"", "\"bob@x.example\"")]
    [InlineData("rcpt", "[\"bob@x.example\",\"Ada <ada@x.example>\"]", "[\"bob@x.example\"]")]
    [InlineData("recipients", "\"b@x.example; ada@x.example,\\\"E, F\\\" <e@x.example>\"", "\"b@x.example,\\\"E, F\\\" <e@x.example>\"")]
    [InlineData("recipients", "[\"ada@x.example\",\"bob@x.example\",\"n'ada@x.example\"]", "[\"bob@x.example\",\"n'ada@x.example\"]")]
    [InlineData("recipients", "[\"ada@x.example\"]", "[]")]
    [InlineData("recipients", "\"ada@x.example\"", "\"\"")]
    [InlineData("recipients", "\"[\\\"ada@x.example\\\", \\\"bob@x.example\\\"]\"", "\"[\\\"bob@x.example\\\"]\"")]
    [InlineData("recipients", "\"['bob@x.example', 'ada@x.example']\"", "\"[\\\"bob@x.example\\\"]\"")]
    [InlineData("recipients", "\"ada@x.example <bob@x.example>\"", "\"[forgotten] <bob@x.example>\"")]
    [InlineData("recipients", "[{\"n\":1,\"a\":\"ada@x.example\"}, {\"b\": 1}]", "[{\"n\":1,\"a\":\"[forgotten]\"},{\"b\": 1}]")]
    [InlineData("sender", "\"Ada <ada@x.example>\"", "\"[forgotten]\"")]
    [InlineData("sender", "\"b+ada=x.example@em.example\"", "\"b+[forgotten]@em.example\"")]
    [InlineData("Reply-To", "\"bob@x.example, ada@x.example\"", "\"bob@x.example\"")]
    [InlineData("X-Customer", "[\"ada@x.example\",\"bob@x.example\"]", "[\"[forgotten]\",\"bob@x.example\"]")]
    [InlineData("headers", "{\"a\" : \"to \\u0061da@x.example\", \"b\":[1.5,null]}", "{\"a\" : \"to [forgotten]\", \"b\":[1.5,null]}")]
    [InlineData("note", "\"see ada@x.example\"", "\"see [forgotten]\"")]
    public void A_value_keeps_its_form(string field, string json, string without) =>
        Assert.Equal(Without(field, without), Redaction.Without(Ada, BinaryData.FromString(Body(field, json))));

    [Theory]
    [InlineData("rcpt", "\"k=ada@x.example\"")]
    [InlineData("rcpt", "\"x?to=ada@x.example\"")]
    [InlineData("rcpt", "\"'ada@x.example\"")]
    [InlineData("rcpt", "\"x%20ada@x.example\"")]
    [InlineData("sender", "\"'Ada' <x/ada@x.example>\"")]
    [InlineData("from", "\"\\\"ada@x.example\\\"@y.example\"")]
    [InlineData("recipients", "[\"to=ada@x.example\",\"?ada@x.example\",\"ada@x.example.au\"]")]
    [InlineData("recipients", "\"to=ada@x.example,?ada@x.example;https/ada@x.example\"")]
    [InlineData("headers", "{\"to\":\"x?to=ada@x.example\"}")]
    public void Somebody_elses_address_in_an_address_field_is_never_touched(string field, string json) =>
        Assert.Null(Redaction.Without(Ada, BinaryData.FromString(Body(field, json))));

    [Theory]
    [InlineData("{\"x\":-491512345678}")]
    [InlineData("{\"x\":491512345.678}")]
    [InlineData("{\"x\":4915123456.78e1}")]
    public void A_number_that_nobody_can_call_is_left_in_JSON(string json) =>
        Assert.Null(Redaction.Without(AddressPattern.Parse("+491512345678")!, BinaryData.FromString(Body("headers", json))));

    [Theory]
    [InlineData("+20260324", "{\"day\":\"2026-03-24\",\"ip\":\"20.26.03.24\"}")]
    [InlineData("+515073219", "{\"lat\":51.5073219,\"text\":\"51.5073219\"}")]
    public void What_only_looks_like_the_number_is_left_in_JSON(string number, string json) =>
        Assert.Null(Redaction.Without(AddressPattern.Parse(number)!, BinaryData.FromString(Body("geo", json))));

    [Theory]
    [InlineData("""{"event":"processed","recipients":["ada@x.example"]}""", true)]
    [InlineData("""{"event":"open","rcpt":"<ADA@x.example>","recipients":[]}""", true)]
    [InlineData("""{"event":"processed","recipients":["ada@x.example",{"email":"bob@x.example"}]}""", false)]
    [InlineData("""{"event":"processed","rcpt":"ada@x.example","recipients":["ada@x.example","bob@x.example"]}""", false)]
    [InlineData("""{"event":"open","rcpt":["ada@x.example",["bob@x.example"]]}""", false)]
    [InlineData("""{"event":"open","rcpt":"ada@x.example","destination_number":"+491512345678"}""", false)]
    [InlineData("""{"event":"open"}""", false)]
    public void An_event_is_about_only_the_address_if_no_other_recipient_is_named(string body, bool expected)
    {
        Assert.True(EmailEvent.TryParse(System.Text.Encoding.UTF8.GetBytes(body), out var e, out _));
        Assert.Equal(expected, Redaction.IsAboutOnly(Ada, e));
    }

    [Fact]
    public void A_webhook_inside_a_message_stays_JSON()
    {
        const string Message =
            """{"v":2,"webhooks":[{"body":"{\"subject\":\"say \\\"\u0061da@x.example\\\" x\",\"rcpt\":\"bob@x.example\"}"}]}""";

        var without = Redaction.WithoutInMessage(Ada, Message)!;

        using var json = System.Text.Json.JsonDocument.Parse(without);
        var body = json.RootElement.GetProperty("webhooks")[0].GetProperty("body").GetString()!;
        using var inner = System.Text.Json.JsonDocument.Parse(body);
        Assert.Equal(
            ("say \"[forgotten]\" x", "bob@x.example"),
            (inner.RootElement.GetProperty("subject").GetString(), inner.RootElement.GetProperty("rcpt").GetString()));
    }

    [Fact]
    public void Two_names_that_contained_the_address_keep_the_values_of_both()
    {
        var body = BinaryData.FromString("""{"event":"open","ada@x.example":"one","Ada@x.example":"two"}""");

        Assert.Equal("""{"event":"open","[forgotten]":["one","two"]}""", Redaction.Without(Ada, body));
    }

    [Fact]
    public void A_telephone_number_is_found_in_JSON_text_and_numbers()
    {
        var number = AddressPattern.Parse("+491512345678")!;

        Assert.Equal(
            Without("sms", "{\"to\":\"[forgotten]\",\"n\":4915123456789}"),
            Redaction.Without(number, BinaryData.FromString(Body("sms", "{\"to\":491512345678,\"n\":4915123456789}"))));
    }

    [Fact]
    public void An_event_is_about_only_the_address_when_nobody_else_is_a_recipient()
    {
        Assert.True(IsAboutOnly("rcpt", "\"<ADA@x.example>\""));
        Assert.True(IsAboutOnly("recipients", "\"ada@x.example,Ada@X.example\""));
        Assert.False(IsAboutOnly("rcpt", "[\"ada@x.example\",\"bob@x.example\"]"));
        Assert.False(IsAboutOnly("recipients", "[]"));
        Assert.False(IsAboutOnly("sender", "\"ada@x.example\""));
    }

    private static bool IsAboutOnly(string field, string json)
    {
        Assert.True(EmailEvent.TryParse(BinaryData.FromString(Body(field, json)), out var e, out _));
        return Redaction.IsAboutOnly(Ada, e);
    }

    private static string Body(string field, string json) => $"{{\"event\":\"open\",\"{field}\":{json}}}";

    // Read and written again, like any body without the address.
    private static string Without(string field, string json)
    {
        Assert.True(WebhookBody.TryParse(BinaryData.FromString(Body(field, json)), out var fields, out _));
        using var document = JsonDocument.Parse(WebhookBody.ToJson(fields));
        return document.RootElement.GetRawText();
    }
}
