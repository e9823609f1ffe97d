using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Where a webhook must end up.</summary>
internal enum Destination
{
    /// <summary>In the table of events, once.</summary>
    Event,

    /// <summary>In the dead letters, once for each acknowledged POST: it names no event.</summary>
    NoEvent,
}

/// <summary>One POST of a webhook, or one message that brought it.</summary>
/// <param name="BodyHash">The SHA-256 of what was sent: each try may have another <c>sendtime</c>.</param>
internal sealed record Post(TimeSpan At, string BodyHash)
{
    public const string Acknowledged = "200";

    public string Answer { get; set; } = "none";
}

/// <summary>A webhook built from its number and the seed, with each POST of it and where it must end up.</summary>
internal sealed class PostedWebhook
{
    /// <summary>The field with the number: a custom header that SMTP2GO would send back.</summary>
    public const string Mark = "X-Chaos";

    private static readonly DateTimeOffset Epoch = new(2026, 3, 1, 6, 0, 0, TimeSpan.Zero);

    private readonly int seed;

    private PostedWebhook(int seed, int number, Shape shape)
    {
        (this.seed, Number) = (seed, number);
        var values = shape.Fields.ToDictionary(field => field.Key, field => field.Value, StringComparer.Ordinal);
        Destination = values.ContainsKey("event") ? Destination.Event : Destination.NoEvent;
        Event = values.GetValueOrDefault("event") as string;
        Day = ((string)(values.GetValueOrDefault("time") ?? values["received_timestamp"]))[..10];
        var recipients = values.GetValueOrDefault("rcpt") ?? values.GetValueOrDefault("recipients") ?? values["destination_number"];
        Recipients = recipients as IReadOnlyList<string> ?? [(string)recipients];

        // Without an id, every field makes an event different, even sendtime. So such a webhook is posted again byte for byte.
        SendTimeMayDiffer = values.ContainsKey("sendtime") && values.ContainsKey("id");
        IsSmall = !values.ContainsKey(Shape.Padding) && !shape.IsBroken && Recipients.Count < 10;
        ContentType = shape.IsJson ? "application/json" : "application/x-www-form-urlencoded";
    }

    public int Number { get; }

    public string ContentType { get; }

    public Destination Destination { get; }

    public string? Event { get; }

    public string Day { get; }

    /// <summary>The partitions of the index by recipient: all addresses are in lower case, and none needs an escape.</summary>
    public IReadOnlyList<string> Recipients { get; }

    public bool SendTimeMayDiffer { get; }

    public bool IsSmall { get; }

    public ConcurrentQueue<Post> Posts { get; } = new();

    public bool WasAcknowledged => Posts.Any(post => post.Answer == Post.Acknowledged);

    public static PostedWebhook Create(int seed, int number) => new(seed, number, Shape.Of(seed, number, 0));

    /// <summary>What is posted.</summary>
    /// <param name="version">0, or another number for another <c>sendtime</c>.</param>
    public byte[] Body(int version)
    {
        var shape = Shape.Of(seed, Number, version);
        var webhook = new SampleWebhook(shape.Fields);
        var body = Encoding.UTF8.GetBytes(shape.IsJson ? webhook.ToJson() : webhook.ToForm());
        return shape.IsBroken ? [.. body, .. "&X-Latin="u8, 0xE9] : body;
    }

    public Post Try(byte[] body)
    {
        var post = new Post(Journal.Now, Convert.ToHexStringLower(SHA256.HashData(body)));
        Posts.Enqueue(post);
        return post;
    }

    public override string ToString() =>
        $"webhook {Number} ({Event ?? "no event"}): "
        + string.Join(
            ", ",
            Posts.Select(post =>
                string.Create(CultureInfo.InvariantCulture, $"{post.Answer} at {post.At.TotalSeconds:0.0} s ({post.BodyHash[..8]})")));

    private sealed record Shape(IReadOnlyList<KeyValuePair<string, object>> Fields, bool IsJson, bool IsBroken)
    {
        public const string Padding = "X-Padding";

        /// <summary>
        /// Ten webhooks for each email. Most are ordinary; some are large, have no event or no id, are not in UTF-8, or have very many
        /// recipients.
        /// </summary>
        public static Shape Of(int seed, int number, int version)
        {
            var random = new Random(unchecked((seed * 1_000_003) + number));
            var email = number / 10;
            var sample = SampleWebhook.OneOfEach($"1w{seed:x8}-{email:x11}-Chao", Epoch.AddHours(email % 100))[number % 10];
            var fields = sample
                .Fields.Select(field => KeyValuePair.Create(field.Key, ValueOf(field)))
                .Append(new(Mark, $"{number}"))
                .ToList();
            var isJson = random.Next(2) == 0;
            var chance = random.NextDouble();
            if (chance < 0.012)
            {
                fields.RemoveAll(field => field.Key == "event");
            }
            else if (chance < 0.02)
            {
                fields.RemoveAll(field => field.Key == "id");
            }
            else if (chance is > 0.9 and < 0.903)
            {
                Replace("recipients", Enumerable.Range(0, 120).Select(i => $"many{i}@example.org").ToArray());
            }

            if (chance is > 0.01 and < 0.03)
            {
                fields.Add(new(Padding, new string((char)('a' + random.Next(26)), random.Next(26, 120) * 1024)));
            }

            return new Shape(fields, isJson, IsBroken: !isJson && chance is > 0.03 and < 0.038);

            object ValueOf(KeyValuePair<string, object> field) => (field.Key, field.Value) switch
            {
                ("id", _) => $"{seed:x8}{number:x24}",
                ("sendtime", string text) => text.Replace("052765", $"{52765 + version:000000}", StringComparison.Ordinal),
                ("rcpt" or "destination_number", string text) => Spread(text),
                ("recipients", IReadOnlyList<string> texts) => texts.Select(Spread).ToArray(),
                (_, var value) => value,
            };

            // Some 200 people, each with many events.
            string Spread(string address) => address.Contains('@', StringComparison.Ordinal)
                ? address.Replace("@", $"{email % 200}@", StringComparison.Ordinal)
                : $"{address}{email % 200:000}";

            void Replace(string name, object value)
            {
                var i = fields.FindIndex(field => field.Key == name);
                if (i >= 0)
                {
                    fields[i] = new(name, value);
                }
            }
        }
    }
}
