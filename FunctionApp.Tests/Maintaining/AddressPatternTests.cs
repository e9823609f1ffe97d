using System.Text;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Tests.Maintaining;

public sealed class AddressPatternTests
{
    private const string Address = "ada.b@mail.example";

    [Theory]
    [InlineData("ada.b@mail.example")]
    [InlineData("  Ada.B@MAIL.example\t")]
    [InlineData("<ada.b@mail.example>")]
    [InlineData("Ada Byron <ada.b@mail.example>")]
    [InlineData("\"Byron, Ada\" <ada.b@mail.example> ")]
    [InlineData("mailto:ada.b@mail.example")]
    [InlineData("MAILTO:ada.b%40mail.example?subject=hi")]
    [InlineData("<mailto:ada.b@mail.example>")]
    [InlineData("'ada.b@mail.example'")]
    [InlineData("ada.b@mail.example.")]
    public void An_address_is_accepted_as_people_paste_it(string pasted) => Assert.True(AddressPattern.Parse(pasted)!.Is(Address));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("ada.b")]
    [InlineData("ada.b@")]
    [InlineData("@mail.example")]
    [InlineData("ada.b@mail.example, bob@mail.example")]
    [InlineData("ada.b@mail.example bob@mail.example")]
    [InlineData("ada b@mail.example")]
    [InlineData("ada.b@mail.example/x")]
    [InlineData("ada.b@mail.exa\u200Bmple")]
    [InlineData("12345")]
    [InlineData("1234567890123456")]
    [InlineData("2026-05-02T10:00:00Z")]
    public void What_is_not_an_address_is_refused(string pasted) => Assert.Null(AddressPattern.Parse(pasted));

    [Theory]
    [InlineData("{'ada.b@mail.example', 'bob@x.example'}")]
    [InlineData("{{ada.b@mail.example}}")]
    [InlineData("bounces+ada.b=mail.example@em.example")]
    [InlineData("bounces+1234567-ab12-ada.b=mail.example@em.example")]
    [InlineData("ada.b@mail.example")]
    [InlineData("to ADA.B@Mail.Example, who")]
    [InlineData("550 <ada.b@mail.example>: no such user")]
    [InlineData("RCPT TO:<ada.b@mail.example>")]
    [InlineData("That was ada.b@mail.example.")]
    [InlineData("ada.b@mail.example...")]
    [InlineData("(ada.b@mail.example)")]
    [InlineData("user 'ada.b@mail.example' unknown")]
    [InlineData("“ada.b@mail.example”")]
    [InlineData("**ada.b@mail.example**")]
    [InlineData("{ada.b@mail.example}")]
    [InlineData("\"ada.b@mail.example\" said")]
    [InlineData("to=ada.b@mail.example, relay=mx")]
    [InlineData("smtp.mailfrom=ada.b@mail.example; dkim=none")]
    [InlineData("mailto:ada.b@mail.example?subject=x")]
    [InlineData("https://x.example/ada.b@mail.example/unsub")]
    [InlineData("https://x.example/?q=x/ada.b@mail.example")]
    [InlineData("https://x.example/?q=please+ask+ada.b@mail.example+now")]
    [InlineData("https://x.example/?ada.b@mail.example")]
    [InlineData("https://x.example/#ada.b@mail.example")]
    [InlineData("https://x.example/?a=1&amp;to=ada.b@mail.example")]
    [InlineData("https://x.example/?to=ada.b%40mail.example&z=1")]
    [InlineData("https://x.example/?u=https%3A%2F%2Fy.example%2F%3Fto%3Dada.b%2540mail.example")]
    [InlineData("https://x.example/?note=please%2Bask%2Bada.b%40mail.example", false)]
    [InlineData("?to=ada.b%40mail.example")]
    [InlineData("ada%2Eb%40mail%2eexample")]
    [InlineData("ada.b%2540mail.example")]
    [InlineData("ada.b%252540mail.example")]
    [InlineData("ada.b&#64;mail.example")]
    [InlineData("ada.b&#x40;mail.example")]
    [InlineData("ada.b&commat;mail&period;example")]
    [InlineData("ada.b&amp;#64;mail.example")]
    [InlineData("&lt;ada.b@mail.example&gt;")]
    [InlineData("&nbsp;ada.b@mail.example&nbsp;")]
    [InlineData("ada.b=40mail.example")]
    [InlineData("ada.b=40mail.exa=\r\nmple")]
    [InlineData("to=3Dada=2Eb=40mail.example")]
    [InlineData("=?UTF-8?Q?ada.b=40mail.example?=")]
    [InlineData("=?utf-8?B?YWRhLmJAbWFpbC5leGFtcGxl?=")]
    [InlineData("=?iso-8859-1?B?YWRhLmJAbWFp?=\r\n =?utf-8?b?bC5leGFtcGxlIGhpZXI=?=")]
    [InlineData("""{"to":"ada.b\u0040mail.example"}""")]
    [InlineData("""{\"to\":\"\u0061da.b@mail.example\"}""")]
    [InlineData("""see\nada.b@mail.example""")]
    [InlineData("ada.b=mail.example@bounces.example")]
    [InlineData("<bounces+ada.b=mail.example@em.example>")]
    [InlineData("bounces+123-4f5a-ada.b=mail.example@em.example")]
    [InlineData("https://x.example/?from=bounces%2Bada.b%3Dmail.example%40em.example")]
    [InlineData("smtp://ada.b@mail.example@mx.example")]
    [InlineData("https://x.example/?a=1,2,ada.b@mail.example")]
    public void The_address_is_found_in_a_text(string text, bool isFound = true)
    {
        var pattern = AddressPattern.Parse(Address)!;

        Assert.Equal(isFound, pattern.IsIn(text));
        Assert.False(pattern.IsIn(pattern.TakeFrom(text)));
    }

    [Theory]
    [InlineData("bounces+x+ada.b=mail.example@em.example")]
    [InlineData("bounces+12-ab-ada.b=mail.example@em.example")]
    [InlineData("n'ada.b@mail.example")]
    [InlineData("ööada.b@mail.example")]
    [InlineData("<sales/ada.b@mail.example>")]
    [InlineData("x+ada.b@mail.example")]
    [InlineData("<k=ada.b@mail.example>")]
    [InlineData("<x?y=ada.b@mail.example>")]
    [InlineData("k=ada.b@mail.example")]
    [InlineData("'ada.b@mail.example")]
    [InlineData("n’ada.b@mail.example")]
    [InlineData("paral·ada.b@mail.example")]
    [InlineData("😀ada.b@mail.example")]
    [InlineData("x.ada.b@mail.example")]
    [InlineData("ada.b@mail.exampleé")]
    [InlineData("ada.b@mail.example.org")]
    [InlineData("ada.b@mail.example。org")]
    [InlineData("ada.b@mail.example-x")]
    [InlineData("ada.b@mail.example_x")]
    [InlineData("ada.b@mail.example%2Eorg")]
    [InlineData("ada.b@mail.example=2Eorg")]
    [InlineData("ada.b@mail.example&#46;org")]
    [InlineData("""ada.b@mail.example\u002eorg""")]
    [InlineData("bj&ouml;ada.b@mail.example")]
    [InlineData("bj%C3%B6ada.b%40mail.example")]
    [InlineData("bj=C3=B6ada.b@mail.example")]
    [InlineData("=?utf-8?q?bj=C3=B6ada.b=40mail.example?=")]
    [InlineData("\"ada.b@mail.example\"@x.example")]
    [InlineData("\"x ada.b@mail.example y\"@x.example")]
    [InlineData("https://x.example/?to=x%2Bada.b%40mail.example")]
    [InlineData("https://x.example/x+ada.b@mail.example")]
    [InlineData("https://x.example/?to=n%27ada.b%40mail.example")]
    [InlineData("https://x.example/?to=sales%2Fada.b%40mail.example")]
    [InlineData("mailto:sales/ada.b@mail.example?subject=x")]
    [InlineData("adaxb@mail.example")]
    [InlineData("ada.b=mail.example")]
    [InlineData("xada.b=mail.example@em.example")]
    [InlineData("bounces-ada.b=mail.example@em.example")]
    public void Somebody_elses_address_is_left_as_it_is(string text)
    {
        var pattern = AddressPattern.Parse(Address)!;

        Assert.False(pattern.IsIn(text));
        Assert.Equal(text, pattern.TakeFrom(text));
    }

    [Theory]
    [InlineData("to ada.b@mail.example and bob@mail.example", "to [forgotten] and bob@mail.example")]
    [InlineData("see https://x.example/?a=1&to=ada.b%40mail.example&z=1#top now", "see https://x.example/?a=1&to=[forgotten]&z=1#top now")]
    [InlineData("https://x.example/?q=please+ask+ada.b@mail.example+now", "https://x.example/?q=please+ask+[forgotten]+now")]
    [InlineData("=?utf-8?B?YWRhLmJAbWFpbC5leGFtcGxl?= <bob@mail.example>", "[forgotten] <bob@mail.example>")]
    [InlineData("bounces+ada.b=mail.example@em.example", "bounces+[forgotten]@em.example")]
    [InlineData("'ada.b@mail.example' n'ada.b@mail.example", "'[forgotten]' n'ada.b@mail.example")]
    public void Only_what_contains_the_address_is_removed(string text, string without) =>
        Assert.Equal(without, AddressPattern.Parse(Address)!.TakeFrom(text));

    [Theory]
    [InlineData("ada+news@mail.example", "https://x.example/?to=ada%2Bnews%40mail.example")]
    [InlineData("ada+news@mail.example", "https://x.example/?to=ada+news@mail.example")]
    [InlineData("ada+news@mail.example", "https://x.example/?to=ada+news%40mail.example")]
    [InlineData("sales/emea@mail.example", "https://x.example/?to=sales/emea@mail.example")]
    [InlineData("n'dour@mail.example", "<n'dour@mail.example>")]
    [InlineData("\"a b\"@mail.example", "<\"a b\"@mail.example>")]
    [InlineData("ada@bücher.example", "to ADA@BÜCHER.example.")]
    [InlineData("ada@bücher.example", "to ada@xn--bcher-kva.example.")]
    [InlineData("ada@xn--bcher-kva.example", "to ada@bücher.example")]
    [InlineData("björk@mail.example", "https://x.example/?to=bj%C3%B6rk%40mail.example")]
    public void Addresses_of_every_kind_are_found(string address, string text) => Assert.True(AddressPattern.Parse(address)!.IsIn(text));

    [Theory]
    [InlineData("+49\u2011151\u2011234\u20115678")]
    [InlineData("+491512345678")]
    [InlineData("491512345678")]
    [InlineData("00491512345678")]
    [InlineData("+49 (0)151 / 234-56.78")]
    [InlineData("tel:+49-1512345678")]
    [InlineData("sms:+491512345678")]
    public void A_telephone_number_is_accepted_however_it_is_written(string pasted)
    {
        var number = AddressPattern.Parse(pasted)!;

        Assert.True(number.Is("+491512345678"));
        Assert.True(number.Is("491512345678"));
        Assert.True(number.IsIn("to +491512345678."));
        Assert.True(number.IsIn("to +49 (0)151 234-5678, or"));
        Assert.True(number.IsIn("to 491512345678: failed"));
        Assert.True(number.IsIn("https://x.example/?to=%2B491512345678"));
        Assert.True(number.IsIn("https://x.example/?to=+491512345678&x=1"));
        Assert.False(number.Is("+4915123456789"));
        Assert.False(number.IsIn("+4915123456789"));
        Assert.False(number.IsIn("id x491512345678 or 1491512345678, 491512345678-9, 491512345678@sms.example"));
        Assert.False(number.IsIn("49 151 234 5678"));
        Assert.Equal("to [forgotten].", number.TakeFrom("to +49 151 2345678."));
    }

    [Fact]
    public void A_large_text_takes_only_a_moment()
    {
        var pattern = AddressPattern.Parse(Address)!;
        string[] texts =
        [
            new('a', 1_000_000),
            string.Concat(Enumerable.Repeat("ada.b@mail.exampl", 60_000)),
            string.Concat(Enumerable.Repeat("%2540", 200_000)),
            string.Concat(Enumerable.Repeat("=?utf-8?q?", 100_000)),
            string.Concat(Enumerable.Repeat("&amp;x=", 150_000)),
            string.Concat(Enumerable.Repeat("https://", 125_000)),
            string.Concat(Enumerable.Repeat("=3D=40", 160_000)),
            string.Concat(Enumerable.Repeat("'", 1_000_000)) + Address,
            string.Concat(Enumerable.Repeat("\\u005c", 160_000)),
        ];

        // A search that takes more than linear time would hit its own time-out.
        Assert.All(texts, text => Assert.Equal(text, pattern.TakeFrom(text)));
    }

    [Fact]
    public void A_base64_word_in_another_charset_is_read()
    {
        var bytes = Encoding.Latin1.GetBytes($"Zoë {Address}");

        Assert.True(AddressPattern.Parse(Address)!.IsIn($"=?windows-1252?B?{Convert.ToBase64String(bytes)}?="));
    }
}
