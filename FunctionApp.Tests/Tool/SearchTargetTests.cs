using System.Text;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What a text in the search box may mean, and bodies made readable.</summary>
public sealed class SearchTargetTests
{
    private const string Id = "1w4x2g-FnQW0hPru7M-NRRC";

    [Theory]
    [InlineData(Id, Id, null, null, Id)]
    [InlineData("  " + Id + " ", Id, null, null, Id)]
    [InlineData("sms-777", "sms-777", null, null, "sms-777")]
    [InlineData("no-email-id", "no-email-id", null, null, "no-email-id")]
    [InlineData("invoice", "invoice", null, null, "invoice")]
    [InlineData("<E" + Id + "@message-id.example.com>", Id, null, "E" + Id + "@message-id.example.com", null)]
    [InlineData("E" + Id + "@message-id.example.com", Id, null, "E" + Id + "@message-id.example.com", null)]
    [InlineData("ada@example.org", null, "ada@example.org", "ada@example.org", "ada@example.org")]
    [InlineData("Ada Lovelace <ada@example.org>", null, "ada@example.org", null, "ada@example.org")]
    [InlineData("<ada@example.org>", null, "ada@example.org", "ada@example.org", "ada@example.org")]
    [InlineData("Eve@example.org", "ve", "Eve@example.org", "Eve@example.org", "Eve@example.org")]
    [InlineData("<20260501.abc@mail.example.com>", null, "20260501.abc@mail.example.com", "20260501.abc@mail.example.com",
        "20260501.abc@mail.example.com")]
    [InlineData("+64 21 123-4567", null, "+64211234567", null, "+64 21 123-4567")]
    [InlineData("(021) 1234567", null, "0211234567", null, "(021) 1234567")]
    [InlineData("order 4711", null, null, null, "order 4711")]
    [InlineData("@example.org", "@example.org", null, null, "@example.org")]
    [InlineData("50 % off!", null, null, null, "50 % off!")]
    public void A_text_is_told_apart(string typed, string? emailId, string? address, string? messageId, string? words) =>
        Assert.Equal(new SearchTarget(emailId, address, messageId, words), SearchTarget.Of(typed));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \t ")]
    public void Nothing_typed_is_nothing_to_look_for(string? typed) => Assert.Null(SearchTarget.Of(typed));

    [Fact]
    public void A_text_of_any_length_is_only_words() =>
        Assert.Equal(new SearchTarget(null, null, null, new string('x', 5_000)), SearchTarget.Of(new string('x', 5_000)));

    [Fact]
    public void JSON_is_indented_and_a_form_is_a_list_of_fields()
    {
        var json = ReadableBody.Of(BinaryData.FromString("""{"event":"open","a":{"b":["é<"]}}"""), "application/json");
        var form = ReadableBody.Of(BinaryData.FromString("event=open&subject=a+%3Cb%3E%26&recipients=x%40y&recipients=z"), null);
        var other = ReadableBody.Of(BinaryData.FromString("neither"), null);

        Assert.Equal("{\n  \"event\": \"open\",\n  \"a\": {\n    \"b\": [\n      \"é<\"\n    ]\n  }\n}", json.Text);
        Assert.False(json.IsCut);
        Assert.Equal([("event", "open"), ("subject", "a <b>&"), ("recipients", "x@y"), ("recipients", "z")], form.Fields);
        Assert.False(form.IsCut);
        Assert.Equal("neither", other.Text);
    }

    [Fact]
    public void Of_a_large_body_only_the_beginning_is_shown()
    {
        var form = ReadableBody.Of(BinaryData.FromString($"event=open&a={new string('x', 60_000)}&b=1"), null);
        var manyFields = string.Join('&', Enumerable.Range(0, 9_000).Select(i => $"field{i}=12345"));
        var many = ReadableBody.Of(BinaryData.FromString(manyFields), null);
        var text = ReadableBody.Of(new BinaryData(Encoding.UTF8.GetBytes(new string('{', 60_000))), null);

        Assert.All([form, many, text], body => Assert.True(body.IsCut));
        Assert.InRange(form.Fields!.Sum(field => field.Name.Length + field.Value.Length), 1, ReadableBody.MaxShown + 2);
        Assert.InRange(many.Fields!.Sum(field => field.Name.Length + field.Value.Length), 1, ReadableBody.MaxShown + 20);
        Assert.Equal(ReadableBody.MaxShown + 1, text.Text!.Length);
        Assert.Equal(60_000, text.Length);
    }

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "abc…")]
    [InlineData("ab\U0001F600d", 3, "ab…")]
    public void A_text_is_not_cut_inside_a_character(string text, int length, string expected) =>
        Assert.Equal(expected, PlainText.Cut(text, length));
}
