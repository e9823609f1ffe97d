using System.Globalization;
using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Storing;

/// <summary>The columns of an event: SMTP2GO's fields under their own names, as far as Azure allows, and ours in PascalCase.</summary>
public static class EventColumns
{
    /// <summary>Builds the row of an event.</summary>
    /// <returns>A row within Azure's limits, marked <c>Truncated</c> if it had to be cut.</returns>
    public static TableEntity ToRow(EmailEvent e, ReceivedWebhook webhook) => ToRow(e, webhook, EventFacts.Of(e));

    internal static TableEntity ToRow(EmailEvent e, ReceivedWebhook webhook, EventFacts facts)
    {
        var row = new TableEntity(EventKeys.PartitionKey(e), EventKeys.RowKey(e))
        {
            [ColumnNames.ReceivedAt] = webhook.ReceivedAt,
            [ColumnNames.IsTest] = e.IsTest,
        };

        Set(row, ColumnNames.WebhookId, webhook.Id);
        Set(row, ColumnNames.ContentType, webhook.ContentType);
        Set(row, ColumnNames.Body, webhook.Body);
        Set(row, ColumnNames.BodyBlob, webhook.Blob);
        if (AddFields(row, e, facts))
        {
            row[ColumnNames.Truncated] = true;
        }

        return row;
    }

    /// <summary>The field that a column was built from, as far as the column shows it.</summary>
    /// <param name="value">Not null.</param>
    internal static WebhookField ToField(string name, object value)
    {
        var text = value is DateTimeOffset time ? EventTime.ToText(time) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return new WebhookField(name, [new FieldValue(text)]);
    }

    private static void Set(TableEntity row, string name, string? text)
    {
        if (text is not null)
        {
            row[name] = TableLimits.Cut(text, out _);
        }
    }

    /// <summary>The columns of the facts that are known.</summary>
    internal static IEnumerable<KeyValuePair<string, object>> Of(EventFacts facts)
    {
        object?[] values =
        [
            facts.RecipientDomain, facts.MailboxProvider, facts.SmtpCode, facts.EnhancedCode, facts.BounceClass, facts.DeliverySeconds,
            facts.LikelyMachine, facts.MachineReason,
        ];
        return ColumnNames.Facts.Zip(values, (name, value) => KeyValuePair.Create(name, value!)).Where(fact => fact.Value is not null);
    }

    private static bool AddFields(TableEntity row, EmailEvent e, EventFacts facts)
    {
        var truncated = false;
        var bytes = 0;
        var count = 0;
        var fields = e.Fields.Where(f => f.Name != "recipients[]" || e.Fields.All(other => other.Name != "recipients"));
        var named = ColumnNaming.Name(fields.Select(f => f.Name == "recipients[]" ? f with { Name = "recipients" } : f));
        foreach (var (name, field, isCut) in named)
        {
            truncated |= isCut;
            var value = ValueOf(field, e, ref truncated);
            var size = TableLimits.SizeOf(name, value);
            if (count == TableLimits.MaxFields || bytes + size > TableLimits.MaxFieldBytes)
            {
                truncated = true;
                continue;
            }

            row[name] = value;
            bytes += size;
            count++;
        }

        // A fact that does not fit is no loss: it can be derived again.
        foreach (var (name, value) in Of(facts))
        {
            var size = TableLimits.SizeOf(name, value);
            if (count < TableLimits.MaxFields && bytes + size <= TableLimits.MaxFieldBytes)
            {
                row[name] = value;
                bytes += size;
                count++;
            }
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

        if (FieldTypes.IsTime(field.Name) && EventTime.TryParse(text, out var time) && time >= TableLimits.MinTime)
        {
            return time;
        }

        if (FieldTypes.IsNumber(field.Name)
            && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        text = TableLimits.Cut(text, out var isCut);
        truncated |= isCut;
        return text;
    }
}
