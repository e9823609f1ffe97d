using System.Globalization;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Storing;

/// <summary>Gives the fields of an event their columns.</summary>
internal static class ColumnNaming
{
    // What SMTP2GO documents or is known to send: kept first if not everything fits into a row.
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
        ColumnNames.WebhookId, ColumnNames.ReceivedAt, ColumnNames.ContentType, ColumnNames.Body, ColumnNames.BodyBlob, ColumnNames.IsTest,
        ColumnNames.Truncated, ColumnNames.Redacted, ColumnNames.Recipient, ColumnNames.RecipientCount, ColumnNames.EventPartitionKey,
        ColumnNames.EventRowKey, .. ColumnNames.Facts,
    ];

    /// <summary>Gives every field a legal and unique name. The fields to keep come first.</summary>
    public static List<(string Name, WebhookField Field, bool IsCut)> Name(IEnumerable<WebhookField> fields)
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
                name = string.Concat(wanted.AsSpan(0, Math.Min(wanted.Length, TableLimits.MaxNameLength - suffix.Length)), suffix);
            }

            named.Add((name, field, IsCut: field.Name.Length > name.Length));
        }

        return [.. named.OrderBy(f => Known.Contains(f.Field.Name) ? 0 : 1).ThenBy(f => f.Field.Name, StringComparer.Ordinal)];
    }

    private static string ToColumnName(string name)
    {
        var first = name.Length == 0 || char.IsAsciiDigit(name[0]) ? "_" : string.Empty;
        var kept = Math.Min(name.Length, TableLimits.MaxNameLength - first.Length);
        return string.Concat(first, string.Create(kept, name, static (column, name) =>
        {
            for (var i = 0; i < column.Length; i++)
            {
                column[i] = char.IsAsciiLetterOrDigit(name[i]) ? name[i] : '_';
            }
        }));
    }
}
