using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Storing;

public sealed class EventIndexTests
{
    private const string Time = "time=2026-03-24T08:23:19Z";

    [Theory]
    [InlineData(
        $"event=open&id=1&email_id=Ab-1&rcpt=Grace@Mail.Example&{Time}",
        "grace@mail.example",
        "2026-03-24T08:23:19.000Z_open_Ab-1_",
        "2026-03-24_open",
        "2026-03-24T08:23:19.000Z_Ab-1_")]
    [InlineData(
        "event=sms_delivered&id=1&message_id=m1&destination_number=%2B31600000001",
        "+31600000001",
        "no-time_sms_delivered_sms-m1_",
        "no-time_sms_delivered",
        "no-time_sms-m1_")]
    [InlineData("event=reject&rcpt=a%2Fb%25@x&email_id=c%2Fd", "a=2Fb=25@x", "no-time_reject_c=2Fd_", "no-time_reject", "no-time_c=2Fd_")]
    public void Keys_are_what_the_design_says(string body, string recipient, string recipientRow, string day, string dayRow)
    {
        var (e, stored) = Stored(body);
        var hash = EventKeys.Hash(e);

        var byRecipient = Assert.Single(EventIndex.ByRecipient(e, stored));
        var byDay = EventIndex.ByDay(e, stored);

        Assert.Equal((recipient, recipientRow + hash), (byRecipient.PartitionKey, byRecipient.RowKey));
        Assert.Equal((day, dayRow + hash), (byDay.PartitionKey, byDay.RowKey));
        Assert.Empty(AzureLimits.Problems(byRecipient).Concat(AzureLimits.Problems(byDay)));
    }

    [Fact]
    public void An_index_row_has_every_column_but_the_body()
    {
        var (e, stored) = Stored($"event=delivered&id=1&email_id=e1&rcpt=Grace@Mail.Example&host=h&{Time}");

        var byRecipient = Assert.Single(EventIndex.ByRecipient(e, stored));

        Assert.Equal(
            stored.Keys.Except(["Body"]).Concat(["Recipient", "RecipientCount", "EventPartitionKey", "EventRowKey"]).Order(),
            byRecipient.Keys.Order());
        Assert.Equal(("Grace@Mail.Example", 1, "h"), (byRecipient["Recipient"], byRecipient["RecipientCount"], byRecipient["host"]));
        Assert.Equal(
            stored.Keys.Except(["Body"]).Concat(["EventPartitionKey", "EventRowKey"]).Order(), EventIndex.ByDay(e, stored).Keys.Order());
    }

    [Theory]
    [InlineData(2, 2, false)]
    [InlineData(500, 500, false)]
    [InlineData(1000, 1000, false)]
    [InlineData(1001, 1000, true)]
    public void Processed_indexes_every_recipient_up_to_a_thousand(int recipients, int indexed, bool truncated)
    {
        var (e, stored) = Stored(
            "event=processed&id=1&" + string.Join('&', Enumerable.Range(0, recipients).Select(i => $"recipients=r{i:0000}@x.example")));

        var rows = EventIndex.ByRecipient(e, stored).ToList();

        Assert.Equal(indexed, rows.Select(row => row.PartitionKey).Distinct().Count());
        Assert.All(rows, row => Assert.Equal(recipients, row["RecipientCount"]));
        Assert.All(rows, row => Assert.Equal(truncated, row.ContainsKey("Truncated")));
        Assert.All(rows, row => Assert.False(row.ContainsKey("recipients")));
    }

    [Fact]
    public void An_address_named_twice_is_one_row_whatever_its_case()
    {
        var (e, stored) = Stored("event=processed&id=1&recipients=a@x,A@X,b@x");

        Assert.Equal(["a@x", "b@x"], EventIndex.ByRecipient(e, stored).Select(row => row.PartitionKey));
    }

    [Fact]
    public void A_row_by_recipient_has_the_domain_and_the_provider_of_its_own_recipient()
    {
        var (e, stored) = Stored("event=processed&id=1&recipients=a@Gmail.com,b@own.example,c@gmail.com,nobody");

        Assert.False(stored.ContainsKey("RecipientDomain"));
        Assert.Equal(
            ["gmail.com gmail", "own.example ", "gmail.com gmail", " "],
            EventIndex.ByRecipient(e, stored).Select(row => $"{row.GetString("RecipientDomain")} {row.GetString("MailboxProvider")}"));
    }

    [Fact]
    public void Index_rows_of_a_row_that_was_stored_without_facts_have_what_they_can_know()
    {
        var (e, stored) = Stored("event=bounce&id=1&rcpt=a@own.example&host=aspmx.l.google.com&message=550+5.1.1+No");
        foreach (var fact in ColumnNames.Facts)
        {
            stored.Remove(fact);
        }

        var row = Assert.Single(EventIndex.ByRecipient(e, stored));

        Assert.Equal(("own.example", "gmail", null), (row["RecipientDomain"], row["MailboxProvider"], row.GetString("BounceClass")));
        Assert.Empty(ColumnNames.Facts.Intersect(EventIndex.ByDay(e, stored).Keys));
    }

    [Theory]
    [InlineData("rcpt=a@gmail.com")]
    [InlineData("recipients=a@gmail.com&recipients=b@gmail.com")]
    [InlineData("rcpt=a@gmail.com&recipients=b@gmail.com&recipients=c@gmail.com")]
    [InlineData("recipients=nobody&recipients=b@gmail.com")]
    public void An_event_with_as_many_fields_as_fit_still_makes_legal_index_rows(string recipients)
    {
        for (var fields = 230; fields < 245; fields++)
        {
            var (e, stored) = Stored(
                $"event=bounce&id=1&{recipients}&message=550+5.1.1+No&{Time}&"
                    + string.Join('&', Enumerable.Range(0, fields).Select(i => $"A{i:000}=x")));

            // Every column of ours that it can have.
            stored["BodyBlob"] = new string('a', 64);
            stored["Truncated"] = true;
            stored["Redacted"] = true;

            Assert.Empty(EventIndex.ByRecipient(e, stored).Append(EventIndex.ByDay(e, stored)).SelectMany(AzureLimits.Problems));
        }
    }

    private static (EmailEvent Event, TableEntity Stored) Stored(string body)
    {
        Assert.True(WebhookBody.TryParse(Encoding.UTF8.GetBytes(body), out var fields, out _));
        Assert.True(EmailEvent.TryCreate(fields, out var e));
        var blob = body.Length > 10_000;
        return (e,
            EventColumns.ToRow(
                e,
                new ReceivedWebhook("w1", DateTimeOffset.UnixEpoch, "text/plain", blob ? null : body, blob ? new string('a', 64) : null)));
    }
}
