using System.Globalization;
using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>The columns of an event: SMTP2GO's own fields under their own names, as far as Azure takes them, and ours in PascalCase.</summary>
public static class EventColumns
{
    /// <summary>The longest text of a column. Azure's limit is 64 KiB of UTF-16, "about 32 K characters or less".</summary>
    public const int MaxTextLength = 30_000;

    /// <summary>The most columns for fields. Azure's limit is 252, and the rest is room for our own.</summary>
    public const int MaxFields = 240;

    private const int MaxNameLength = 255;

    // Azure's limit is 1 MiB with names and keys; this leaves room for our own columns and for a second name of a table.
    private const int MaxFieldBytes = 900 * 1024;

    private static readonly DateTimeOffset MinTime = new(1601, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly HashSet<string> Times =
        ["time", "sendtime", "opened-at", "clicked-at", "received_timestamp", "submitted_timestamp"];

    private static readonly HashSet<string> Numbers = ["read-secs", "retry_count"];

    // What SMTP2GO documents or is known to send: kept first where a row cannot hold everything.
    private static readonly HashSet<string> Known =
    [
        "event", "time", "sendtime", "sender", "from", "from_address", "from_name", "rcpt", "recipients", "auth", "host", "message",
        "context", "email_id", "id", "message-id", "Message-Id", "bounce", "subject", "Subject", "user-agent", "read-secs", "client",
        "client-device", "client-os", "geoip-continent", "geoip-country", "geoip-city", "srchost", "opened-at", "clicked-at", "url",
        "destination_number", "source_number", "message_id", "message_content", "status_code", "region", "retry_count",
        "submitted_timestamp", "received_timestamp", "sender_email", "email_subject",
    ];

    private static readonly string[] SystemNames =
    [
        "PartitionKey", "RowKey", "Timestamp",
        WebhookId, ReceivedAt, ContentType, Body, BodyBlob, IsTest, Truncated,
        EventIndex.Recipient, EventIndex.RecipientCount, EventIndex.EventPartitionKey, EventIndex.EventRowKey, Redacted,
    ];

    internal const string WebhookId = "WebhookId";
    internal const string ReceivedAt = "ReceivedAt";
    internal const string ContentType = "ContentType";
    internal const string Body = "Body";
    internal const string BodyBlob = "BodyBlob";
    internal const string IsTest = "IsTest";
    internal const string Truncated = "Truncated";
    internal const string Redacted = "Redacted";

    /// <summary>Makes the row of an event.</summary>
    /// <param name="e">The event.</param>
    /// <param name="webhook">The webhook that brought it.</param>
    /// <returns>A row within Azure's limits, marked <c>Truncated</c> where it had to be cut.</returns>
    public static TableEntity ToRow(EmailEvent e, ReceivedWebhook webhook)
    {
        var row = new TableEntity(EventKeys.PartitionKey(e), EventKeys.RowKey(e))
        {
            [ReceivedAt] = webhook.ReceivedAt,
            [IsTest] = e.IsTest,
        };

        Set(row, WebhookId, webhook.Id);
        Set(row, ContentType, webhook.ContentType);
        Set(row, Body, webhook.Body);
        Set(row, BodyBlob, webhook.Blob);
        if (AddFields(row, e))
        {
            row[Truncated] = true;
        }

        return row;
    }

    private static void Set(TableEntity row, string name, string? text)
    {
        if (text is not null)
        {
            row[name] = Cut(text, out _);
        }
    }

    private static bool AddFields(TableEntity row, EmailEvent e)
    {
        var truncated = false;
        var bytes = 0;
        var count = 0;
        var fields = e.Fields.Where(f => f.Name != "recipients[]" || e.Fields.All(other => other.Name != "recipients"));
        var named = Name(fields.Select(f => f.Name == "recipients[]" ? f with { Name = "recipients" } : f));
        foreach (var (name, field, isCut) in named)
        {
            truncated |= isCut;
            var value = ValueOf(field, e, ref truncated);
            var size = SizeOf(name, value);
            if (count == MaxFields || bytes + size > MaxFieldBytes)
            {
                truncated = true;
                continue;
            }

            row[name] = value;
            bytes += size;
            count++;
        }

        return truncated;
    }

    private static object ValueOf(WebhookField field, EmailEvent e, ref bool truncated)
    {
        var text = field switch
        {
            { Name: "event" } => e.Name,
            { Name: "recipients" } when e.Recipients.Count > 0 => string.Join(',', e.Recipients),
            { Values.Count: 1 } => field.Values[0].Text,
            _ => JsonSerializer.Serialize(field.Values.Select(v => v.Text).ToArray(), JsonTextArray.Readable.StringArray),
        };

        if (Times.Contains(field.Name) && EventTime.TryParse(text, out var time) && time >= MinTime)
        {
            return time;
        }

        if (Numbers.Contains(field.Name) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        text = Cut(text, out var isCut);
        truncated |= isCut;
        return text;
    }

    /// <summary>Gives every field a legal name that no other has, the fields to keep first first.</summary>
    private static List<(string Name, WebhookField Field, bool IsCut)> Name(IEnumerable<WebhookField> fields)
    {
        var ordered = fields
            .Select(f => (Field: f, Name: ToColumnName(f.Name)))
            .OrderBy(f => f.Name == f.Field.Name ? 0 : 1)
            .ThenBy(f => f.Field.Name, StringComparer.Ordinal);

        var taken = new HashSet<string>(SystemNames, StringComparer.Ordinal);
        var suffixes = new Dictionary<string, int>(StringComparer.Ordinal);
        var named = new List<(string Name, WebhookField Field, bool IsCut)>();
        foreach (var (field, wanted) in ordered)
        {
            var name = wanted;
            while (!taken.Add(name))
            {
                var n = suffixes[wanted] = suffixes.GetValueOrDefault(wanted, 1) + 1;
                var suffix = string.Create(CultureInfo.InvariantCulture, $"_{n}");
                name = string.Concat(wanted.AsSpan(0, Math.Min(wanted.Length, MaxNameLength - suffix.Length)), suffix);
            }

            named.Add((name, field, IsCut: field.Name.Length > name.Length));
        }

        return [.. named.OrderBy(f => Known.Contains(f.Field.Name) ? 0 : 1).ThenBy(f => f.Field.Name, StringComparer.Ordinal)];
    }

    private static string ToColumnName(string name)
    {
        var first = name.Length == 0 || char.IsAsciiDigit(name[0]) ? "_" : string.Empty;
        var kept = Math.Min(name.Length, MaxNameLength - first.Length);
        return string.Concat(first, string.Create(kept, name, static (column, name) =>
        {
            for (var i = 0; i < column.Length; i++)
            {
                column[i] = char.IsAsciiLetterOrDigit(name[i]) ? name[i] : '_';
            }
        }));
    }

    internal static string Cut(string text, out bool isCut)
    {
        isCut = text.Length > MaxTextLength;
        return !isCut ? text
            : char.IsHighSurrogate(text[MaxTextLength - 1]) ? text[..(MaxTextLength - 1)]
            : text[..MaxTextLength];
    }

    internal static int SizeOf(TableEntity row) => row.Sum(property => SizeOf(property.Key, property.Value));

    // Azure's own reckoning: 8 bytes a property, two a character of its name, and the value.
    private static int SizeOf(string name, object value) =>
        8 + (2 * name.Length) + (value is string text ? 4 + (2 * text.Length) : 8);
}
