using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Finds an address in what is stored, and removes it. Pure functions.</summary>
internal static class Redaction
{
    // Besides the recipients: as SMTP2GO names them, and as a custom header or its column may be named.
    private static readonly HashSet<string> AddressFields = new(StringComparer.OrdinalIgnoreCase)
    {
        "sender", "from", "from_address", "sender_email", "destination_number", "source_number",
        "to", "cc", "bcc", "reply_to", "return_path", "delivered_to", ColumnNames.Recipient,
    };

    private static readonly Regex JsonScalar =
        new(@"""([^""\\]|\\.)*""|-?[0-9][0-9.eE+\-]*", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture);

    // The columns of a row that are not fields. The body is read separately.
    private static readonly HashSet<string> NoFields =
    [
        "odata.etag", "Timestamp", "PartitionKey", "RowKey", ColumnNames.EventPartitionKey, ColumnNames.EventRowKey, ColumnNames.Body,
        ColumnNames.BodyBlob, ColumnNames.WebhookId, ColumnNames.ReceivedAt, ColumnNames.ContentType, ColumnNames.IsTest,
        ColumnNames.Truncated, ColumnNames.Redacted, ColumnNames.RecipientCount, .. ColumnNames.Facts,
    ];

    public static bool IsIn(AddressPattern address, BinaryData body) =>
        WebhookBody.TryParse(body, out var fields, out _)
            ? fields.Any(field => IsIn(address, field))
            : address.IsIn(Encoding.UTF8.GetString(body));

    /// <summary>Whether a column other than the body contains the address.</summary>
    public static bool IsIn(AddressPattern address, TableEntity row) => FieldsOf(row).Any(field => IsIn(address, field));

    public static bool IsIn(AddressPattern address, EmailEvent e) => e.Fields.Any(field => IsIn(address, field));

    /// <summary>Whether it names no other recipient. A value that is not text may name one.</summary>
    public static bool IsAboutOnly(AddressPattern address, EmailEvent e)
    {
        var fields = e.Fields.Where(field => FieldTypes.HoldsAddresses(field.Name) || field.Name == "destination_number").ToList();
        var named = fields.SelectMany(RecipientAddresses.Of).ToList();
        return named.Count > 0 && named.TrueForAll(address.Is) && fields.TrueForAll(field => field.Values.All(value => value.IsScalar));
    }

    /// <summary>The event of a row whose body is gone, as far as its columns show it; null if they name none.</summary>
    public static EmailEvent? EventOf(TableEntity row) => EmailEvent.TryCreate([.. FieldsOf(row)], out var e) ? e : null;

    /// <summary>The event without the address. Every value keeps its form, and one without the address stays as it is.</summary>
    public static EmailEvent Without(AddressPattern address, EmailEvent e) =>
        EmailEvent.TryCreate(Without(address, e.Fields), out var without)
            ? without
            : throw new InvalidOperationException("The event lost its name.");

    /// <summary>A body without the address, as JSON if it can be read, else as text; null if it does not contain it.</summary>
    public static string? Without(AddressPattern address, BinaryData body) =>
        !IsIn(address, body) ? null
        : WebhookBody.TryParse(body, out var fields, out _) ? WebhookBody.ToJson(Without(address, fields))
        : address.TakeFrom(Encoding.UTF8.GetString(body));

    /// <summary>A queue message, or one webhook in it, without the address; null if it does not contain it. JSON stays JSON.</summary>
    public static string? WithoutInMessage(AddressPattern address, string message)
    {
        var without = IsJsonObject(message) ? WithoutInJson(address, message) : address.TakeFrom(message);
        return without == message ? null : without;
    }

    private static bool IsIn(AddressPattern address, WebhookField field) => !ReferenceEquals(Without(address, field), field);

    private static List<WebhookField> Without(AddressPattern address, IEnumerable<WebhookField> fields) =>
    [
        // Two names that differed only by the address are now the same, with the values of both.
        .. fields.Select(field => Without(address, field))
            .GroupBy(field => field.Name, StringComparer.Ordinal)
            .Select(same => same.Skip(1).Any() ? same.First() with { Values = [.. same.SelectMany(field => field.Values)] } : same.First()),
    ];

    private static WebhookField Without(AddressPattern address, WebhookField field)
    {
        var name = address.TakeFrom(field.Name);
        var isAddresses = FieldTypes.HoldsAddresses(field.Name) || AddressFields.Contains(field.Name.Replace('-', '_'));
        var values = field.Values
            .Where(value => !(isAddresses && field.IsList && value.IsScalar && address.Is(value.Text)))
            .Select(value => value with
            {
                Text = !value.IsScalar ? WithoutInJson(address, value.Text)
                    : !isAddresses ? address.TakeFrom(value.Text)
                    : field.IsList ? Without(address, value.Text)
                    : WithoutInJoined(address, value.Text, FieldTypes.IsRecipients(field.Name)),
            })
            .ToList();
        return name == field.Name && values.SequenceEqual(field.Values) ? field : field with { Name = name, Values = values };
    }

    // A text that can be one address is either this one or somebody else's, so it is compared as a whole.
    private static string Without(AddressPattern address, string text)
    {
        if (address.Is(text))
        {
            return AddressPattern.Mark;
        }

        var inner = RecipientAddresses.Unwrap(text);
        if (!AddressSyntax.IsAddress(inner))
        {
            return address.TakeFrom(text);
        }

        // The part before it is a name, which may be any text.
        var start = text.LastIndexOf(inner, StringComparison.Ordinal);
        return address.TakeFrom(text[..start]) + address.TakeFromAddress(inner) + text[(start + inner.Length)..];
    }

    // Several addresses in one text. The separators of the others stay. An email may end up without a recipient, but not without a sender.
    private static string WithoutInJoined(AddressPattern address, string list, bool isRecipients)
    {
        var parts = RecipientAddresses.Split(list).ToList();
        var isJoined = parts.Sum(part => part.Length + 1) == list.Length + 1;
        var kept = new List<string>();
        var at = 0;
        foreach (var part in parts)
        {
            if (!address.Is(part))
            {
                var separator = isJoined && kept.Count > 0 ? list[(at - 1)..at] : string.Empty;
                kept.Add(separator + Without(address, part));
            }

            at += part.Length + 1;
        }

        return kept.Count == 0 && parts.Count > 0 ? isRecipients ? string.Empty : AddressPattern.Mark
            : isJoined ? string.Concat(kept)
            : kept.SequenceEqual(parts) ? list
            : JsonSerializer.Serialize([.. kept], JsonTextArray.Readable.StringArray);
    }

    private static string WithoutInJson(AddressPattern address, string json) => JsonScalar.Replace(json, scalar =>
    {
        // A number with a sign, a point or an exponent is not a telephone number.
        if (scalar.Value[0] != '"' && !scalar.Value.All(char.IsAsciiDigit))
        {
            return scalar.Value;
        }

        var text = scalar.Value[0] == '"' ? TextOf(scalar.Value) : scalar.Value;
        var without = text is null ? address.TakeFrom(scalar.Value)
            : IsJsonObject(text) ? WithoutInJson(address, text)
            : address.IsNumber ? address.TakeFrom(text)
            : Without(address, text);
        return without == (text ?? scalar.Value) ? scalar.Value
            : $"\"{(text is null ? AddressPattern.Mark : JsonEncodedText.Encode(without, JavaScriptEncoder.UnsafeRelaxedJsonEscaping))}\"";
    });

    private static bool IsJsonObject(string text) =>
        text.AsSpan().TrimStart() is ['{', ..] && WebhookBody.Check(Encoding.UTF8.GetBytes(text)) == BodyProblem.None;

    // Null if it is not text: half of a surrogate pair is not.
    private static string? TextOf(string literal)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(literal));
            return reader.Read() ? reader.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static IEnumerable<WebhookField> FieldsOf(TableEntity row) => row
        .Where(column => column.Value is not null && !NoFields.Contains(column.Key))
        .Select(column => EventColumns.ToField(column.Key, column.Value));
}
