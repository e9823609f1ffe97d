using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsCheck;

namespace Smtp2GoIngest.Tests;

/// <summary>The meaning of an event, which can be written as a form or as JSON, in any spelling of its times, lists and numbers.</summary>
internal sealed record SpelledEvent(string Name, bool HasId, int Number, IReadOnlyList<SpelledField> Fields)
{
    private static readonly string[] Names = ["open", "click", "bounce", "processed", "spam", "Quarantined"];
    private static readonly string[] Times = ["time", "sendtime", "opened-at"];
    private static readonly string[] Texts = ["subject", "Subject", "message", "X-Campaign", "from_name", "naïve name[x]"];

    private static readonly string[] People =
    [
        "ada@x.example", "O'Day+tag@x.example", "\"Day, Ada\"@x.example", "\"a;b\"@x.example", "björk@bücher.example", "c_d=e@x.example",
    ];

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Events with several fields of each kind.</summary>
    public static Gen<SpelledEvent> Any { get; } = Gen.Select(
        OneOf(Names),
        Gen.Bool,
        Gen.Int[0, 1_000_000],
        Gen.Select(OneOf(Times), Time, static (name, time) => new SpelledField(name, time)).Array[0, 3],
        Gen.Select(OneOf(Texts), Text, static (name, text) => new SpelledField(name, text)).Array[0, 4],
        Gen.Decimal[-1_000_000, 1_000_000].Select(number => new SpelledField("read-secs", decimal.Round(number, 3))),
        OneOf(People).Array[0, 5].Select(people => new SpelledField("recipients", people)),
        Text.Where(text => text.Length > 0 && text[0] != '[').Array[1, 3].Select(list => new SpelledField("X-Tags", list)),
        static (name, hasId, number, times, texts, readSecs, recipients, tags) => new SpelledEvent(
            name,
            hasId,
            number,
            [.. times.Concat(texts).Append(readSecs).Append(recipients).Append(tags).DistinctBy(field => field.Name)]));

    private static Gen<DateTimeOffset> Time => Gen.Select(
        Gen.Int[0, 2_000_000_000],
        OneOf(0, 0, 1_000_000, 1_234_560, 9_999_999),
        static (second, ticks) => new DateTimeOffset(2001, 9, 10, 0, 0, 0, TimeSpan.Zero).AddSeconds(second % 700_000_000).AddTicks(ticks));

    private static Gen<string> Text =>
        Gen.OneOf(Gen.Char[' ', '~'], Gen.Char['\u00c0', '\u00ff'], Gen.Char['\u4e00', '\u4e20'])
            .Array[0, 12]
            .Select(text => new string(text));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>The same event with another meaning.</summary>
    public SpelledEvent Changed() => this with
    {
        Fields = [.. Fields.Where(field => field.Name != "subject"), new SpelledField("subject", $"changed {Number}")],
    };

    public string ToForm(Random random)
    {
        var pairs = new List<(string Name, string Value)> { ("event", NameOf(random)), ("email_id", $"1w{Number}-abc") };
        if (HasId)
        {
            pairs.Add(("id", $"{Number:x32}"));
        }

        foreach (var (name, value) in Fields)
        {
            switch (value)
            {
                case string[] { Length: 0 } or "" when HasId && random.Next(2) == 0:
                    break;
                case string[] { Length: 0 }:
                    pairs.Add((name, string.Empty));
                    break;
                case string[] list when name == "recipients" && random.Next(2) == 0:
                    pairs.Add((name, string.Join(random.Next(2) == 0 ? "," : " ; ", list.Select(address => AddressOf(address, random)))));
                    break;
                case string[] list when random.Next(3) == 0:
                    pairs.Add((name, JsonSerializer.Serialize(list)));
                    break;
                case string[] list:
                    var suffix = random.Next(2) == 0 ? "[]" : string.Empty;
                    var isAddresses = name == "recipients" && (list.Length > 1 || suffix.Length > 0);
                    pairs.AddRange(list.Select(element => (name + suffix, isAddresses ? AddressOf(element, random) : element)));
                    break;
                default:
                    pairs.Add((name, SpellingOf(value, random)));
                    break;
            }
        }

        // The elements of a list keep their order.
        return string.Join(
            '&',
            pairs.GroupBy(pair => pair.Name)
                .OrderBy(_ => random.Next())
                .SelectMany(same => same)
                .Select(pair => $"{WebUtility.UrlEncode(pair.Name)}={WebUtility.UrlEncode(pair.Value)}"));
    }

    public string ToJson(Random random)
    {
        var members = new List<string> { Member("event", Quoted(NameOf(random))), Member("email_id", Quoted($"1w{Number}-abc")) };
        if (HasId)
        {
            members.Add(Member("id", Quoted($"{Number:x32}")));
        }

        foreach (var (name, value) in Fields)
        {
            switch (value)
            {
                case string[] { Length: 0 } or "" when HasId && random.Next(2) == 0:
                    break;
                case string[] list when name == "recipients":
                    members.Add(
                        Member(name, $"[{string.Join(", ", list.Select(address => Quoted(AddressOf(address, random))))}]"));
                    break;
                case string[] list:
                    members.Add(Member(name, $"[{string.Join(',', list.Select(Quoted))}]"));
                    break;
                case decimal when random.Next(2) == 0:
                    members.Add(Member(name, SpellingOf(value, random)));
                    break;
                case "" when random.Next(2) == 0:
                    members.Add(Member(name, "null"));
                    break;
                default:
                    members.Add(Member(name, Quoted(SpellingOf(value, random))));
                    break;
            }
        }

        return $"{{{string.Join(random.Next(2) == 0 ? "," : " , ", members.OrderBy(_ => random.Next()))}}}";

        string Quoted(string text) => random.Next(2) == 0 ? JsonSerializer.Serialize(text) : JsonSerializer.Serialize(text, Relaxed);

        string Member(string name, string value) => $"{Quoted(name)}:{value}";
    }

    // Without an id, the name as sent is part of the row's key.
    private string NameOf(Random random) => HasId && random.Next(2) == 0 && Name is "open" or "click" ? $"{Name}ed" : Name;

    private static string AddressOf(string address, Random random) => random.Next(4) switch
    {
        0 => $" {address} ",
        1 => $"<{address}>",
        2 => $"\"Some, body\" <{address}>",
        _ => address,
    };

    private static string SpellingOf(object value, Random random) => value switch
    {
        DateTimeOffset time => TimeOf(time, random),
        decimal number => random.Next(3) switch
        {
            0 => number.ToString(CultureInfo.InvariantCulture) + (number.Scale == 0 ? ".0" : "00"),
            1 => (number * 1000m).ToString("0", CultureInfo.InvariantCulture) + "e-3",
            _ => number.ToString("0.###", CultureInfo.InvariantCulture),
        },
        _ => (string)value,
    };

    private static string TimeOf(DateTimeOffset time, Random random)
    {
        var isWhole = time.Ticks % TimeSpan.TicksPerSecond == 0;
        switch (random.Next(isWhole ? 8 : 6))
        {
            case 6:
                return time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            case 7:
                return time.ToString("ddd, d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture) + " +0000";
        }

        var (zone, at) = random.Next(5) switch
        {
            0 => ("z", time),
            1 => ("+00:00", time),
            2 => ("+02:00", time.AddHours(2)),
            3 => (string.Empty, time),
            _ => ("Z", time),
        };
        var text = new StringBuilder(at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))
            .Append("Tt "[random.Next(3)])
            .Append(at.ToString("HH:mm:ss", CultureInfo.InvariantCulture));
        if (!isWhole || random.Next(2) == 0)
        {
            text.Append(at.ToString("'.'fffffff", CultureInfo.InvariantCulture)).Append(random.Next(2) == 0 ? "00" : string.Empty);
        }

        return text.Append(zone).ToString();
    }
}

/// <summary>A field by its meaning: a text, a time, a number or a list.</summary>
internal sealed record SpelledField(string Name, object Value);
