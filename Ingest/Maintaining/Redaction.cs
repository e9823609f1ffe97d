using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>Where an address stands in what is stored, and what is left without it. Pure functions.</summary>
internal static class Redaction
{
    public static bool IsIn(AddressPattern address, BinaryData body) =>
        address.IsIn(Encoding.UTF8.GetString(body))
        || (WebhookBody.TryParse(body, out var fields, out _) && fields.Any(field => IsIn(address, field)));

    public static bool IsIn(AddressPattern address, TableEntity row) =>
        row.Any(property => property.Value is string text && address.IsIn(text));

    public static bool IsIn(AddressPattern address, EmailEvent e) => e.Fields.Any(field => IsIn(address, field));

    public static bool IsAboutOnly(AddressPattern address, EmailEvent e) => EventIndex.RecipientsOf(e) is [var one] && address.Is(one);

    /// <summary>The event without the address; null where nothing is left of it that says what happened.</summary>
    public static EmailEvent? Without(AddressPattern address, EmailEvent e)
    {
        var recipients = e.Recipients.Where(recipient => !address.IsIn(recipient)).Select(recipient => new FieldValue(recipient)).ToList();
        var isRecipient = e.Fields.Any(field => IsRecipients(field) && IsIn(address, field));
        var fields = new List<WebhookField>();
        foreach (var field in e.Fields)
        {
            fields.Add(isRecipient && IsRecipients(field)
                ? field with { Values = fields.Exists(IsRecipients) ? [] : recipients }
                : new WebhookField(address.TakeFrom(field.Name), [.. field.Values.Select(value => Without(address, value))]));
        }

        return EmailEvent.TryCreate([.. fields.DistinctBy(field => field.Name)], out var without) ? without : null;
    }

    private static bool IsIn(AddressPattern address, WebhookField field) =>
        address.IsIn(field.Name) || field.Values.Any(value => address.IsIn(value.Text));

    private static bool IsRecipients(WebhookField field) => field.Name is "recipients" or "recipients[]";

    private static FieldValue Without(AddressPattern address, FieldValue value)
    {
        var text = address.TakeFrom(value.Text);
        return new FieldValue(text, value.IsScalar || text == AddressPattern.Mark);
    }
}
