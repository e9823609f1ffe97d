using System.Text;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Tests.Parsing;

public sealed class WebhookBodyTests
{
    [Theory]
    [InlineData("", BodyProblem.Empty)]
    [InlineData(" \r\n\t", BodyProblem.Empty)]
    [InlineData("{", BodyProblem.MalformedJson)]
    [InlineData("""{"event":"open"} x""", BodyProblem.MalformedJson)]
    [InlineData("""{"event":"open",}""", BodyProblem.MalformedJson)]
    [InlineData("""{"a":"\ud8zz"}""", BodyProblem.MalformedJson)]
    [InlineData("""[{"event":"open"}]""", BodyProblem.NotAnObject)]
    [InlineData("\"event=open\"", BodyProblem.NotAnObject)]
    [InlineData("null", BodyProblem.NoPairs)]
    [InlineData("event", BodyProblem.NoPairs)]
    [InlineData("=open&=x&", BodyProblem.NoPairs)]
    [InlineData("event=", BodyProblem.None)]
    [InlineData("&&event=open", BodyProblem.None)]
    [InlineData("  {}", BodyProblem.None)]
    public void A_body_is_well_formed_or_has_a_problem(string body, BodyProblem expected)
    {
        Assert.Equal(expected, WebhookBody.Check(Encoding.UTF8.GetBytes(body)));
        Assert.Equal(expected == BodyProblem.None, WebhookBody.TryParse(Encoding.UTF8.GetBytes(body), out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData("Subject=A&subject=b&Message-Id=1&message-id=2", "Subject:A|subject:b|Message-Id:1|message-id:2")]
    [InlineData("X-Order=77&a=1&X-Order=78", "X-Order:77,78|a:1")]
    [InlineData("from_name=&flag&a=b=c", "from_name:|flag:|a:b=c")]
    [InlineData("a=1+2%2B3%20%26&b%5B%5D=x", "a:1 2+3 &|b[]:x")]
    [InlineData("a=%zz&b=100%&c=%4&d=%e2%82%ac", "a:%zz|b:100%|c:%4|d:€")]
    [InlineData("a=%ff%fe", "a:��")]
    [InlineData("?a=1", "?a:1")]
    [InlineData("a=1\r\n", "a:1")]
    public void A_form_keeps_the_case_of_names_and_every_value(string body, string expected) => Assert.Equal(expected, Read(body));

    [Theory]
    [InlineData("""{"Subject":"A","subject":"b"}""", "Subject:A|subject:b")]
    [InlineData("""{"n":12.50,"t":true,"z":null,"s":"x"}""", "n:12.50|t:true|z:|s:x")]
    [InlineData("""{"recipients":["a","b"],"none":[]}""", "recipients:a,b|none:")]
    [InlineData("""{"o":{"a": [1, 2]},"l":[["x"],{"y":1},null]}""", """o:<{"a": [1, 2]}>|l:<["x"]>,<{"y":1}>,""")]
    [InlineData("""{"event":"open","event":"click"}""", "event:open,click")]
    [InlineData("""{"a":"\u00e9\n\"\\","b":"\ud83d\udce6"}""", "a:é\n\"\\|b:📦")]
    [InlineData("""{"lone":"x\ud800y\n\/","\udc00":"low"}""", "lone:x\uFFFDy\n/|\uFFFD:low")]
    [InlineData("\uFEFF {\"a\":\"1\"} ", "a:1")]
    public void Json_gives_names_and_values_as_they_are(string body, string expected) => Assert.Equal(expected, Read(body));

    [Fact]
    public void Bytes_that_are_not_utf8_are_read_as_replacement_characters()
    {
        Assert.Equal("a:x\uFFFD|b:1", Read([.. "{\"a\":\"x"u8, 0xFF, .. "\",\"b\":\"1\"}"u8]));
        Assert.Equal("a:\uFFFD|b:1", Read([.. "a="u8, 0xC3, .. "&b=1"u8]));
    }

    [Fact]
    public void Deep_nesting_is_a_value_like_any_other()
    {
        var deep = new string('[', 100_000) + new string(']', 100_000);

        Assert.Equal($"a:<{deep[1..^1]}>|event:open", Read($$"""{"a":{{deep}},"event":"open"}"""));
    }

    [Theory]
    [InlineData(WebhookBody.MaxValues, BodyProblem.None)]
    [InlineData(WebhookBody.MaxValues + 1, BodyProblem.TooManyValues)]
    public void A_body_with_more_values_than_the_limit_is_well_formed_but_not_read(int values, BodyProblem expected)
    {
        string[] bodies =
        [
            string.Join('&', Enumerable.Range(0, values).Select(i => $"f{i}=x")),
            "{" + string.Join(',', Enumerable.Range(0, values).Select(i => $"\"f{i}\":1")) + "}",
            "{\"f\":[" + string.Join(',', Enumerable.Range(0, values)) + "]}",
        ];
        foreach (var body in bodies.Select(Encoding.UTF8.GetBytes))
        {
            Assert.Equal(BodyProblem.None, WebhookBody.Check(body));
            Assert.Equal(expected == BodyProblem.None, WebhookBody.TryParse(body, out _, out var problem));
            Assert.Equal(expected, problem);
        }
    }

    private static string Read(string body) => Read(Encoding.UTF8.GetBytes(body));

    private static string Read(byte[] body)
    {
        Assert.True(WebhookBody.TryParse(body, out var fields, out _));
        return string.Join(
            '|', fields.Select(f => $"{f.Name}:{string.Join(',', f.Values.Select(v => v.IsScalar ? v.Text : $"<{v.Text}>"))}"));
    }
}
