using System.Text;
using Azure.Data.Tables;
using CsCheck;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Storing;

public sealed class EventColumnsTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 2, 11, 20, 32, TimeSpan.Zero);

    [Theory]
    [InlineData("user-agent", "user_agent")]
    [InlineData("X-Campaign", "X_Campaign")]
    [InlineData("X-Ünï/çødé#1", "X__n____d__1")]
    [InlineData("1st", "_1st")]
    [InlineData("PartitionKey", "PartitionKey_2")]
    [InlineData("RowKey", "RowKey_2")]
    [InlineData("Timestamp", "Timestamp_2")]
    [InlineData("odata.etag", "odata_etag")]
    [InlineData("Body", "Body_2")]
    [InlineData("IsTest", "IsTest_2")]
    [InlineData("RecipientDomain", "RecipientDomain_2")]
    [InlineData("MailboxProvider", "MailboxProvider_2")]
    [InlineData("SmtpCode", "SmtpCode_2")]
    [InlineData("EnhancedCode", "EnhancedCode_2")]
    [InlineData("BounceClass", "BounceClass_2")]
    [InlineData("DeliverySeconds", "DeliverySeconds_2")]
    [InlineData("LikelyMachine", "LikelyMachine_2")]
    [InlineData("MachineReason", "MachineReason_2")]
    public void A_field_keeps_its_name_as_far_as_Azure_allows(string field, string column)
    {
        var row = RowOf($"event=open&{Uri.EscapeDataString(field)}=value");

        Assert.Equal("value", row[column]);
    }

    [Fact]
    public void If_names_collide_the_unchanged_one_keeps_it_and_the_rest_follow_in_order()
    {
        var row = RowOf("event=open&a.b=dot&a-b=dash&a_b=own&a_b_2=two&a/b=slash");

        Assert.Equal("own", row["a_b"]);
        Assert.Equal("two", row["a_b_2"]);
        Assert.Equal("dash", row["a_b_3"]);
        Assert.Equal("dot", row["a_b_4"]);
        Assert.Equal("slash", row["a_b_5"]);
    }

    [Fact]
    public void Known_times_and_numbers_are_typed_and_the_rest_is_text()
    {
        var row = RowOf(
            "event=open&time=2026-05-02T11:20:31Z&sendtime=2026-05-02T11:20:31.448120%2B00:00"
                + "&opened-at=2019-06-18 16:10:32.977062&clicked-at=soon"
                + "&read-secs=60&retry_count=many&other=2026-05-02T11:20:31Z&client=60");

        Assert.Equal(new DateTimeOffset(2026, 5, 2, 11, 20, 31, TimeSpan.Zero), row["time"]);
        Assert.Equal(new DateTimeOffset(2026, 5, 2, 11, 20, 31, TimeSpan.Zero).AddTicks(4481200), row["sendtime"]);
        Assert.Equal(new DateTimeOffset(2019, 6, 18, 16, 10, 32, TimeSpan.Zero).AddTicks(9770620), row["opened_at"]);
        Assert.Equal("soon", row["clicked_at"]);
        Assert.Equal(60, row["read_secs"]);
        Assert.Equal("many", row["retry_count"]);
        Assert.Equal("2026-05-02T11:20:31Z", row["other"]);
        Assert.Equal("60", row["client"]);
    }

    [Fact]
    public void A_time_outside_Azures_range_stays_text() =>
        Assert.Equal("1500-01-01T00:00:00Z", RowOf("event=open&time=1500-01-01T00:00:00Z")["time"]);

    [Fact]
    public void The_event_is_normalised_recipients_are_one_text_and_other_repeats_a_json_array()
    {
        var row = RowOf("event=opened&recipients[]=a@x&recipients[]=b@x&X-Order=77&X-Order=é\"");

        Assert.Equal("open", row["event"]);
        Assert.Equal("a@x,b@x", row["recipients"]);
        Assert.False(row.ContainsKey("recipients__"));
        Assert.Equal("[\"77\",\"é\\\"\"]", row["X_Order"]);
    }

    [Fact]
    public void Json_values_are_texts()
    {
        var row = RowOf("""{"event":"open","n":1.50,"t":true,"z":null,"o":{"a": 1},"empty":[],"one":["x"]}""");

        Assert.Equal("1.50", row["n"]);
        Assert.Equal("true", row["t"]);
        Assert.Equal(string.Empty, row["z"]);
        Assert.Equal("""{"a": 1}""", row["o"]);
        Assert.Equal("[]", row["empty"]);
        Assert.Equal("x", row["one"]);
    }

    [Fact]
    public void Our_own_columns_say_where_it_came_from()
    {
        var row = RowOf("event=open&from_name=");

        Assert.Equal("w1", row["WebhookId"]);
        Assert.Equal(Now, row["ReceivedAt"]);
        Assert.Equal("text/plain", row["ContentType"]);
        Assert.Equal("event=open&from_name=", row["Body"]);
        Assert.Equal(false, row["IsTest"]);
        Assert.Equal(string.Empty, row["from_name"]);
        Assert.False(row.ContainsKey("Truncated"));
        Assert.False(row.ContainsKey("BodyBlob"));
    }

    [Fact]
    public void A_long_value_is_cut_and_the_row_says_so()
    {
        var row = RowOf($"event=open&message={new string('m', 100_000)}");

        Assert.Equal(TableLimits.MaxTextLength, row.GetString("message").Length);
        Assert.Equal(true, row["Truncated"]);
    }

    [Fact]
    public void A_cut_never_splits_a_surrogate_pair()
    {
        foreach (var before in new[] { TableLimits.MaxTextLength - 1, TableLimits.MaxTextLength - 2 })
        {
            var row = RowOf($"event=open&message={new string('m', before)}{string.Concat(Enumerable.Repeat("📦", 10))}");

            Assert.Empty(AzureLimits.Problems(row));
            Assert.InRange(row.GetString("message").Length, TableLimits.MaxTextLength - 1, TableLimits.MaxTextLength);
        }
    }

    [Fact]
    public void Recipients_that_are_not_addresses_keep_their_text()
    {
        Assert.Equal("""{"email":"a@x"}""", RowOf("""{"event":"processed","recipients":[{"email":"a@x"}]}""")["recipients"]);
        Assert.Equal("Unavailable", RowOf("event=processed&recipients=Unavailable")["recipients"]);
    }

    [Fact]
    public void With_too_many_fields_the_documented_ones_stay()
    {
        var row = RowOf(
            "event=open&"
                + string.Join('&', Enumerable.Range(0, 300).Select(i => $"A{i:000}=x"))
                + "&rcpt=a@x&user-agent=ua&subject=s&srchost=h");

        Assert.Equal(true, row["Truncated"]);
        Assert.Equal(("a@x", "ua", "s", "h"), (row["rcpt"], row["user_agent"], row["subject"], row["srchost"]));
        Assert.True(row.ContainsKey("A000"));
        Assert.False(row.ContainsKey("A299"));
        Assert.Empty(AzureLimits.Problems(row));
    }

    [Fact]
    public void With_too_many_bytes_the_documented_fields_stay()
    {
        var row = RowOf(
            "event=open&" + string.Join('&', Enumerable.Range(0, 40).Select(i => $"A{i:00}={new string('x', 25_000)}")) + "&rcpt=a@x");

        Assert.Equal(true, row["Truncated"]);
        Assert.Equal("a@x", row["rcpt"]);
        Assert.Empty(AzureLimits.Problems(row));
    }

    [Fact]
    public void Facts_are_columns_of_their_own_types_and_missing_where_there_is_nothing_to_say()
    {
        var delivered = RowOf(
            "event=delivered&rcpt=Ada@Example.org&host=aspmx.l.google.com&message=250+2.0.0+OK"
                + "&email_id=1w4x2g-FnQW0hPru7M-NRRC&time=2026-03-24T08:23:19Z");
        var bounce = RowOf("event=bounce&rcpt=a@x.example&message=550+5.1.1+No");
        var open = RowOf("event=open&user-agent=curl/8.5.0");

        Assert.Equal(
            ("example.org", "gmail", 250, "2.0.0", 5.0),
            (delivered["RecipientDomain"], delivered["MailboxProvider"], delivered["SmtpCode"], delivered["EnhancedCode"],
                delivered["DeliverySeconds"]));
        Assert.Equal((550, "5.1.1", "invalid-recipient"), (bounce["SmtpCode"], bounce["EnhancedCode"], bounce["BounceClass"]));
        Assert.Equal((true, "script"), (open["LikelyMachine"], open["MachineReason"]));
        Assert.Empty(ColumnNames.Facts.Except(delivered.Keys.Concat(bounce.Keys).Concat(open.Keys)));
        Assert.Empty(ColumnNames.Facts.Intersect(RowOf("event=processed").Keys));
        Assert.All([delivered, bounce, open], row => Assert.Empty(AzureLimits.Problems(row)));
    }

    [Theory]
    [InlineData(240, 0)]
    [InlineData(239, 1)]
    [InlineData(237, 3)]
    [InlineData(200, 5)]
    public void With_many_fields_facts_are_left_out_and_the_row_is_not_called_truncated(int fields, int facts)
    {
        var row = RowOf(
            "event=bounce&rcpt=a@x.example&host=aspmx.l.google.com&message=550+5.1.1+No&"
                + string.Join('&', Enumerable.Range(0, fields - 4).Select(i => $"A{i:000}=x")));

        Assert.Equal(facts, ColumnNames.Facts.Count(row.ContainsKey));
        Assert.Equal("x", row[$"A{fields - 5:000}"]);
        Assert.False(row.ContainsKey("Truncated"));
        Assert.Empty(AzureLimits.Problems(row));
    }

    [Fact]
    public void With_too_many_bytes_facts_are_left_out_before_fields()
    {
        // The longest last field that fits leaves room for none of the facts.
        var (fits, tooLong) = (0, TableLimits.MaxTextLength);
        while (tooLong - fits > 1)
        {
            var last = (fits + tooLong) / 2;
            (fits, tooLong) = RowWith(last).ContainsKey("B") ? (last, tooLong) : (fits, last);
        }

        var full = RowWith(fits);

        Assert.False(full.ContainsKey("Truncated"));
        Assert.Empty(ColumnNames.Facts.Intersect(full.Keys));
        Assert.Empty(AzureLimits.Problems(full));
        Assert.Equal(4, ColumnNames.Facts.Count(RowWith(0).ContainsKey));

        static TableEntity RowWith(int last) => RowOf(
            "event=bounce&message=550+5.1.1+No&rcpt=a@x.example&"
                + string.Join('&', Enumerable.Range(0, 15).Select(i => $"A{i:00}={new string('x', 30_000)}"))
                + $"&B={new string('x', last)}");
    }

    [Fact]
    public void No_payload_makes_an_illegal_row()
    {
        var text = Gen.OneOf(
            Gen.String[Gen.Char[' ', '~'], 0, 40],
            Gen.String[Gen.Char, 0, 40],
            Gen.Char['a', 'z'].Select(Gen.Int[0, 40_000], (c, n) => new string(c, n)),
            Gen.OneOf(
                "Unavailable",
                "2026-05-02T11:20:31Z",
                "1500-01-01T00:00:00Z",
                "9999-12-31T23:59:59.9999999Z",
                "0001-01-01T00:00:00Z",
                "-1",
                "99999999999",
                "a/b#c?d%e=f\tg",
                "\ud83d\udce6",
                "[\"a@x\",null]",
                "[1",
                "a@x;b@x",
                "a@x.example",
                "aspmx.l.google.com",
                "550 5.1.1 User unknown",
                "curl/8.5.0"));
        var name = Gen.OneOf(
            Gen.OneOf(
                "event",
                "time",
                "sendtime",
                "email_id",
                "message_id",
                "id",
                "rcpt",
                "recipients",
                "recipients[]",
                "read-secs",
                "host",
                "message",
                "user-agent",
                "MailboxProvider",
                "opened-at",
                "PartitionKey",
                "RowKey",
                "Timestamp",
                "Body",
                "odata.etag",
                "1st",
                "a-b",
                "a_b",
                "a.b",
                ""),
            Gen.String[Gen.Char, 0, 20],
            Gen.Char['a', 'z'].Select(c => new string(c, 300)));
        var field = Gen.Select(name, text.Array[0, 3]);

        Gen.Select(field.Array[0, 300], Gen.Bool).Sample(
            (fields, asJson) =>
            {
                var body = asJson ? JsonOf(fields) : FormOf(fields);
                if (!WebhookBody.TryParse(Encoding.UTF8.GetBytes(body), out var parsed, out _) || !EmailEvent.TryCreate(parsed, out var e))
                {
                    return;
                }

                var row = EventColumns.ToRow(e, new ReceivedWebhook("w1", Now, "text/plain", null, new string('a', 64)));
                Assert.Empty(AzureLimits.Problems(row));
                Assert.Empty(EventIndex.ByRecipient(e, row).Append(EventIndex.ByDay(e, row)).SelectMany(AzureLimits.Problems));
                Assert.Equal((EventKeys.PartitionKey(e), EventKeys.RowKey(e)), (row.PartitionKey, row.RowKey));
                Assert.True(row.ContainsKey("Truncated") || row.Count - 7 >= parsed.Count(f => f.Name != "recipients[]"));
            },
            iter: 300);
    }

    private static string FormOf(IEnumerable<(string Name, string[] Values)> fields) =>
        string.Join(
            '&', fields
                .Prepend(("event", ["open"]))
                .SelectMany(f => f.Item2.Select(v => $"{Uri.EscapeDataString(f.Item1)}={Uri.EscapeDataString(v)}")));

    private static string JsonOf(IEnumerable<(string Name, string[] Values)> fields) =>
        "{\"event\":\"open\""
        + string.Concat(
            fields.Select(f =>
                $",{Json(f.Name)}:{(f.Values.Length == 1 ? Json(f.Values[0]) : $"[{string.Join(',', f.Values.Select(Json))}]")}"))
        + "}";

    // Escapes by hand: the serializer would replace an unpaired surrogate.
    private static string Json(string text) =>
        "\"" + string.Concat(text.Select(c => c is >= ' ' and <= '~' and not ('"' or '\\') ? c.ToString() : $"\\u{(int)c:x4}")) + "\"";

    private static TableEntity RowOf(string body)
    {
        Assert.True(WebhookBody.TryParse(Encoding.UTF8.GetBytes(body), out var fields, out _));
        Assert.True(EmailEvent.TryCreate(fields, out var e));
        var blob = body.Length > 24_000;
        return EventColumns.ToRow(e, new ReceivedWebhook("w1", Now, "text/plain", blob ? null : body, blob ? new string('a', 64) : null));
    }
}
