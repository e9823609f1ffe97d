using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>The keys of an event: a pure function of what SMTP2GO sent, so the same event is always written to the same row.</summary>
public static class EventKeys
{
    /// <summary>The longest key; Azure allows 512 characters.</summary>
    public const int MaxLength = 400;

    /// <summary>Used in place of the time in the keys of an event without one.</summary>
    public const string NoTime = "no-time";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const int TimeLength = 24;
    private const int HashLength = 16;

    // What Azure refuses in a key; the percent sign, which its service decodes once too often; what Azurite and OData clients trip over;
    // and our own escape character.
    private static readonly SearchValues<char> Illegal = SearchValues.Create(
        [.. "/\\#?%='\u2028\u2029", .. Range(0x00, 0x1F), .. Range(0x7F, 0x9F)]);

    /// <summary>
    /// The partition of <c>Smtp2GoEvents</c>: the email, else the SMS, else one partition for all events that name neither.
    /// </summary>
    public static string PartitionKey(EmailEvent e) =>
        ToKey(Email(e));

    /// <summary>The row within an email: <c>&lt;time&gt;_&lt;event&gt;_&lt;hash&gt;</c>, so that a partition reads as a timeline.</summary>
    public static string RowKey(EmailEvent e) => ToKey($"{Time(e.Time)}_{e.Name}_{Hash(e)}");

    /// <summary>The partition of <c>Smtp2GoEventsByRecipient</c>: the address, whatever its case.</summary>
    public static string RecipientPartitionKey(string address) => ToKey(address.ToLowerInvariant());

    /// <summary>The row within a recipient: <c>&lt;time&gt;_&lt;event&gt;_&lt;email_id&gt;_&lt;hash&gt;</c>.</summary>
    public static string RecipientRowKey(EmailEvent e) => ToKey($"{Time(e.Time)}_{e.Name}_{Email(e)}_{Hash(e)}");

    /// <summary>The partition of <c>Smtp2GoEventsByDay</c>: <c>2026-03-24_bounce</c>, or <c>no-time_bounce</c>.</summary>
    public static string DayPartitionKey(EmailEvent e) => ToKey($"{(e.Time is { } time ? Day(time) : NoTime)}_{e.Name}");

    /// <summary>The row within a day: <c>&lt;time&gt;_&lt;email_id&gt;_&lt;hash&gt;</c>.</summary>
    public static string DayRowKey(EmailEvent e) => ToKey($"{Time(e.Time)}_{Email(e)}_{Hash(e)}");

    /// <summary>A time as written in a key: <c>2026-03-24T08:23:19.000Z</c>, or <c>no-time</c>.</summary>
    public static string Time(DateTimeOffset? time) =>
        time is { } t ? t.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) : NoTime;

    /// <summary>The time with which a row key begins, to the millisecond; null if it has none.</summary>
    internal static DateTimeOffset? TimeOf(string rowKey) =>
        rowKey.Length >= TimeLength
        && DateTimeOffset.TryParseExact(
            rowKey.AsSpan(0, TimeLength), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    /// <summary>A day as written in a key: <c>2026-03-24</c>.</summary>
    public static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>
    /// The event's identity: 16 hex digits over its id, name and recipient, or, without an id, over what its fields mean.
    /// </summary>
    public static string Hash(EmailEvent e) => e.Id is { } id
        ? Hash([id, e.Name, string.Join(',', e.About.Count > 0 ? e.About : e.Recipients)])
        : Hash(EventMeaning.Of(e.Fields)
            .SelectMany(field => field.Values
                .DefaultIfEmpty(new FieldValue(string.Empty))
                .SelectMany(value => new[] { field.Name, value.Text })));

    /// <summary>Turns any text into a legal key: escaped as <c>=XX</c> for each UTF-8 byte, and cut if it is too long.</summary>
    public static string ToKey(string text)
    {
        var key = text.AsSpan().ContainsAny(Illegal) ? Escape(text) : text;
        if (key.Length <= MaxLength)
        {
            return key;
        }

        var end = MaxLength - HashLength - 1;
        var escape = key.AsSpan(end - 2, 2).LastIndexOf('=');
        end = escape >= 0 ? end - 2 + escape : end;
        end = char.IsHighSurrogate(key[end - 1]) ? end - 1 : end;
        return $"{key.AsSpan(0, end)}_{Hash([key])}";
    }

    private static IEnumerable<char> Range(int first, int last) => Enumerable.Range(first, last - first + 1).Select(c => (char)c);

    private static string Email(EmailEvent e) => e.EmailId ?? (e.MessageId is { } sms ? $"sms-{sms}" : "no-email-id");

    private static string Escape(string text)
    {
        var key = new StringBuilder(text.Length + 16);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var c in text)
        {
            if (!Illegal.Contains(c))
            {
                key.Append(c);
                continue;
            }

            foreach (var b in utf8[..new Rune(c).EncodeToUtf8(utf8)])
            {
                key.Append('=').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return key.ToString();
    }

    // Each text is preceded by its length, so that no two lists of texts read the same.
    private static string Hash(IEnumerable<string> texts)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in texts)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            sha.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{utf8.Length}:")));
            sha.AppendData(utf8);
        }

        return Convert.ToHexStringLower(sha.GetHashAndReset().AsSpan(0, HashLength / 2));
    }
}
