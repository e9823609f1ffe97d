using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;

namespace Smtp2GoIngest.Tests.Maintaining;

/// <summary>One person to forget, others whose addresses are nearly the same, and events that name them in every way.</summary>
internal sealed record GeneratedPeople(string One, GeneratedPeople.Event[] Events)
{
    private static readonly string[] Domains = ["post.example", "bücher.example", "a-b.post.example"];

    // Every character of atext, the dot, and some of what RFC 6531 adds.
    private static readonly string[] Neighbours =
    [
        .. "!#$%&'*+-/=?^_`{|}~".Select(c => $"{c}"),
        "x", "9", "n'", "x.", "ö", "é", "界", "·", "’", "x+", "sales/", "k=", "x?y=", "a&b=", "😀",
    ];

    private static readonly string[] Tails = [".org", "x", "-x.org", "é", "_x", ".xn--p1ai", "。org", "9"];

    private static readonly Gen<string> AnyOne = Gen.Select(
        Gen.OneOf("rk", "dour", "ada.b", "x+y", "o'neil", "emea", "björk", "\"a b\"", "a_b", "sales/eu", "q=r"),
        Gen.OneOf(Domains),
        (local, domain) => $"{local}@{domain}");

    public static Gen<GeneratedPeople> Any(int events) => AnyOne.SelectMany(one =>
        AnyEvent(one).Array[1, events].Select(generated => new GeneratedPeople(one, generated)));

    /// <summary>The text of one field, and which parts of it belong to whom.</summary>
    /// <param name="Whole">The text.</param>
    /// <param name="Ones">The pieces that contain the address to forget.</param>
    /// <param name="Others">The pieces that contain somebody else's.</param>
    internal sealed record Text(string Whole, string[] Ones, string[] Others)
    {
        public bool HoldsOne => Ones.Length > 0;
    }

    /// <param name="Body">A form or JSON.</param>
    /// <param name="Texts">The texts of each field whose value is one text.</param>
    /// <param name="Recipients">In order, including the one to forget.</param>
    /// <param name="IsAboutOne">Whether it is only about the one to forget.</param>
    internal sealed record Event(string Body, IReadOnlyDictionary<string, Text> Texts, string[] Recipients, bool IsAboutOne);

    private static Gen<string> AnyOther(string one)
    {
        var unrelated = Gen.OneOf("lee@post.example", "Kim.P@Mail.example", "\"x, y\"@post.example", "zoë@bücher.example");
        return one[0] == '"'
            ? Gen.OneOf(unrelated, Gen.OneOf(Tails).Select(tail => one + tail))
            : Gen.OneOf(
                unrelated,
                Gen.OneOf(Neighbours).Select(neighbour => neighbour + one),
                Gen.OneOf(Tails).Select(tail => one + tail),
                Gen.Select(Gen.OneOf(Neighbours), Gen.OneOf(Tails), (neighbour, tail) => neighbour + one + tail));
    }

    private static Gen<string> AnyCase(string address) =>
        Gen.Select(Gen.Bool, Gen.Bool, (upper, lower) => upper ? address.ToUpperInvariant() : lower ? address.ToLowerInvariant() : address);

    // Encodings that leave no doubt where an address ends. Other people's addresses are encoded with these as well.
    private static Gen<string> AnySpelling(string address) => Gen.OneOf(
        Gen.Const($"<{address}>"),
        Gen.Const($"RCPT TO:<{address}>"),
        Gen.Const($"https://x.example/p/?a=1&to={Uri.EscapeDataString(address)}&z=2#top"),
        Gen.Const($"https://x.example/u/{Uri.EscapeDataString(address)}/off"),
        Gen.Const($"https://x.example/?u={Uri.EscapeDataString($"https://y.example/?to={Uri.EscapeDataString(address)}")}"),
        Gen.Const(JsonSerializer.Serialize(new { to = address })),
        Gen.Const($"{{\"to\":\"{string.Concat(address.Select(c => $"\\u{(int)c:x4}"))}\"}}"),
        Gen.Const(WebUtility.HtmlEncode($"<{address}>")),
        Gen.Const($"&lt;{string.Concat(address.EnumerateRunes().Select(c => $"&#{c.Value};"))}&gt;"),
        Gen.Const($"<{QuotedPrintable(address, b => b is < 128 and not ((byte)'=' or (byte)'@'))}>"),
        Gen.Const($"=?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes($"<{address}>"))}?="),
        Gen.Const($"=?utf-8?q?{QuotedPrintable($"<{address}>", b => char.IsAsciiLetterOrDigit((char)b))}?="));

    private static string QuotedPrintable(string text, Func<byte, bool> isPlain) =>
        string.Concat(Encoding.UTF8.GetBytes(text).Select(b => isPlain(b) ? $"{(char)b}" : $"={b:X2}"));

    // Only the one to forget is spelled like this: in somebody else's address, only a part would be read as the address.
    private static Gen<string> AnySpellingOfOne(string one) => AnyCase(one).SelectMany(spelled => Gen.OneOf(
        AnySpelling(spelled),
        Gen.Const(spelled),
        Gen.Const($"'{spelled}'"),
        Gen.Const($"({spelled}),"),
        Gen.Const($"{spelled}."),
        Gen.Const($"mailto:{spelled}?subject=x"),
        Gen.Const($"=?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(spelled))}?="),
        Gen.Const($"to={spelled}"),
        Gen.Const($"https://x.example/?note=please+answer+{spelled}"),
        Gen.Const($"https://x.example/?note=please+answer+{Uri.EscapeDataString(Uri.EscapeDataString(spelled))}"),
        spelled[0] == '"' ? Gen.Const(spelled) : Gen.Const($"<bounces+{spelled.Replace('@', '=')}@em.example>")));

    private static Gen<Text> AnyText(string one) => Gen.OneOf(
            Gen.OneOf("250 ok", "who said", "ä ö ü", "a,b;c", "50% off & more", "x=y", "{}", "'", "\"")
                .Select(plain => new Text(plain, [], [])),
            AnyOther(one).SelectMany(AnySpelling).Select(other => new Text(other, [], [other])),
            AnySpellingOfOne(one).Select(spelled => new Text(spelled, [spelled], [])))
        .Array[1, 4]
        .Select(parts => new Text(
            string.Join(" and ", parts.Select(part => part.Whole)),
            [.. parts.SelectMany(part => part.Ones)],
            [.. parts.SelectMany(part => part.Others)]));

    private static Gen<string> AnyWrapped(string address) => Gen.OneOf(
        address, $"<{address}>", $"Some Body <{address}>", $"\"Body, Some\" <{address}>", $" {address} ");

    private static Gen<Event> AnyEvent(string one)
    {
        var person = Gen.OneOf(AnyOther(one), AnyOther(one), AnyCase(one));
        return Gen.Select(
            person.Array[0, 6],
            Gen.Int[0, 5],
            Gen.Bool,
            person.SelectMany(AnyWrapped),
            AnyText(one).Array[3],
            Gen.Bool,
            Gen.Int[0, int.MaxValue],
            (recipients, form, isProcessed, sender, texts, isJson, id) =>
                Build(one, recipients, form, isProcessed || recipients.Length == 0, sender, texts, isJson, id));
    }

    private static Event Build(
        string one, string[] recipients, int form, bool isProcessed, string sender, Text[] texts, bool isJson, int id)
    {
        var names = new[] { "message", "url", "X-Campaign" };
        var fields = new List<(string Name, object Value)>
        {
            ("event", isProcessed ? "processed" : "delivered"), ("id", $"{id:x32}"), ("email_id", $"e{id}"), ("sender", sender),
            ("time", "2026-05-02T11:20:31Z"),
        };
        fields.AddRange(names.Zip(texts, (name, text) => (name, (object)text.Whole)));
        recipients = isProcessed ? recipients : recipients[..1];
        if (!isProcessed)
        {
            fields.Add(("rcpt", recipients[0]));
        }
        else
        {
            var joined = string.Join(form % 2 == 0 ? "," : "; ", recipients.Select(r => form == 4 ? $"Some Body <{r}>" : r));
            fields.Add(form switch
            {
                0 or 1 or 4 => ("recipients", joined),
                2 => ("recipients[]", recipients),
                3 => ("recipients", recipients),
                _ => ("recipients", JsonSerializer.Serialize(recipients)),
            });
        }

        var body = isJson
            ? JsonSerializer.Serialize(fields.ToDictionary(f => f.Name, f => f.Value))
            : string.Join('&', fields.SelectMany(f => (f.Value as string[] ?? [(string)f.Value])
                .Select(value => $"{Uri.EscapeDataString(f.Name)}={Uri.EscapeDataString(value)}")));
        var isOne = (string address) => string.Equals(address, one, StringComparison.OrdinalIgnoreCase);
        return new Event(
            body,
            names.Zip(texts).ToDictionary(f => f.First, f => f.Second),
            recipients,
            recipients.Length > 0 && recipients.All(isOne));
    }
}
