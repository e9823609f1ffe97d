using System.Text.Json.Nodes;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests;

/// <summary>Webhooks whose every text tries to become markup, to run, to steer or to break the page.</summary>
internal static class HostileMail
{
    /// <summary>The email that has all of it.</summary>
    public const string EmailId = "1wQ7Zk-HostileHost0-NRRC";

    /// <summary>The recipient of the email, as hostile as an address gets.</summary>
    public const string Recipient = "\"<img/src=x/onerror=window.pwned='rcpt'>\"@evil.example";

    public static readonly IReadOnlyList<string> Texts =
    [
        "<script>window.pwned='script'</script>",
        "\"><img src=x onerror=\"window.pwned='attribute'\">",
        "' onmouseover='window.pwned=1' autofocus onfocus='window.pwned=2' x='",
        "</textarea></title></style></script><svg onload=window.pwned='svg'>",
        "<iframe srcdoc=\"<script>parent.pwned='frame'</script>\"></iframe><meta http-equiv=refresh content=0;url=//evil.example>",
        "<style>*{display:none}</style><base href=//evil.example><link rel=stylesheet href=//evil.example/x.css>",
        "javascript:window.pwned='url'",
        "{{constructor.constructor(\"window.pwned='template'\")()}} ${window.pwned='literal'} @(1+1) @page",
        "<!--Blazor:{\"type\":\"server\",\"sequence\":0}--><!--!--><![CDATA[ ]]>",
        "\u202Egpj.exe\u202C \u2066isolated \u200Fright-to-left \u0627\u0644\u0639\u0631\u0628\u064A\u0629 \u05E2\u05D1\u05E8\u05D9\u05EA",
        "👩‍👩‍👧‍👦🏳️‍🌈🇳🇿 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 ﷽ \ud83d\ude00",
        "\u0000\u0001\u0007\u0008\u001b[31mred\u001b]0;title\u0007\u009b1m\u007f\u2028\u2029 tab\tline\r\nnext",
        string.Concat(Enumerable.Repeat("Subject ", 1_250)),
        new string('W', 6_000),
        "&lt;script&gt;&amp;#60;&#x3c;script&#x3e; %3Cscript%3E %00 \\u003cscript\\u003e",
        "=cmd|'/C calc'!A0",
    ];

    /// <summary>One webhook for each text and each kind of event, as JSON.</summary>
    public static IEnumerable<string> Bodies(DateTimeOffset now)
    {
        string[] names = ["processed", "delivered", "bounce", "open", "click", "reject", "spam", "unsubscribe"];
        for (var i = 0; i < Texts.Count; i++)
        {
            foreach (var name in names)
            {
                yield return Body(Texts[i], i, name, now.AddMinutes(-i));
            }

            // An event that nobody knows, and a field that nobody has.
            yield return Body(Texts[i], i, Cut(Texts[i], 100) + "!", now.AddMinutes(-i));
        }
    }

    /// <summary>As JSON, as a form and as neither.</summary>
    public static IEnumerable<KeptWebhook> DeadLettersOf(string text) =>
    [
        new(DeadLetterReason.NoEvent, text, new JsonObject { [Cut(text, 500)] = text, ["subject"] = text }.ToJsonString(), Cut(text, 200)),
        new(DeadLetterReason.Conflict, text, $"a={Uri.EscapeDataString(text)}&{Uri.EscapeDataString(text)}=b"),
        new(DeadLetterReason.Unparsable, text, $"\u0001{text}"),
        new(DeadLetterReason.Refused, text, null),
    ];

    /// <summary>Every page that shows it, and pages that are asked for with it.</summary>
    public static IEnumerable<(string Name, string Page)> Pages(IEnumerable<DeadLetter> letters)
    {
        var text = Uri.EscapeDataString(Texts[1]);
        return
        [
            ("email", $"email?id={EmailId}"),
            ("recipient", $"recipient?address={Uri.EscapeDataString(Recipient)}"),
            .. letters.DistinctBy(letter => letter.Reason).Select(letter => (
                $"dead-letters-{letter.Reason}", $"dead-letters?reason={letter.Reason}")),
            .. letters.Where((_, i) => i % 13 == 0).Select((letter, i) => (
                $"dead-letter-{i}", $"dead-letters?reason={letter.Reason}&id={letter.Key.Id}")),
            ("asked-overview", $"?period={text}"),
            ("asked-activity", $"activity?event={text}&sender={text}&domain={text}&provider={text}&class={text}&text={text}&day={text}"),
            ("asked-email", $"email?id={text}"),
            ("asked-recipient", $"recipient?address={text}"),
            ("asked-bounces", $"bounces?period={text}"),
            ("asked-dead-letters", $"dead-letters?reason={text}"),
            ("asked-dead-letter", $"dead-letters?reason={text}&id={text}"),
            ("asked-search", $"search?for={Uri.EscapeDataString(Texts[0])}"),
            ("asked-long", $"search?for={new string('W', 3_000)}"),
            ("asked-nothing", $"nothing/{text}"),
        ];
    }

    private static string Body(string text, int i, string name, DateTimeOffset at)
    {
        var time = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["event"] = name,
            ["id"] = $"hostile{i}{name}",

            // Half of them in one email, the others each in its own.
            ["email_id"] = i % 2 == 0 ? EmailId : $"{EmailId[..^4]}{i:0000}",
            ["time"] = time,
            ["subject"] = text,
            ["from"] = Cut(text, 2_000),
            ["from_address"] = $"\"{Cut(text, 300)}\"@shop.example",
            ["sender"] = Cut(text, 2_000),
            [name == "processed" ? "recipients" : "rcpt"] =
                i % 3 == 0 ? Recipient : $"{Cut(text, 200).Replace(' ', '+')}@{(i % 2 == 0 ? "gmail.com" : Cut(text, 50) + ".example")}",
            ["bounce"] = i % 2 == 0 ? "hard" : text,
            ["message"] = $"550 5.1.1 {text}",
            ["context"] = text,
            ["host"] = text,
            ["srchost"] = text,
            ["user-agent"] = text,
            ["url"] = i % 2 == 0 ? text : $"https://evil.example/{text}",
            ["geoip-country"] = text,
            ["Message-Id"] = $"<{text}@evil.example>",
            ["X-Header"] = text,
            [$"X-{Cut(text, 60)}"] = text,
        }.ToJsonString();
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
