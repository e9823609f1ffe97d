using System.Globalization;
using Azure.Data.Tables;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Days;

/// <summary>The rows by day of a day's events, in the order of their keys, as the app itself would build them.</summary>
internal static class DayOfMail
{
    private static readonly string[] Providers =
    [
        "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "proton.me", "zoho.com", "fastmail.com", "yandex.com", "mail.ru",
        "qq.com", "orange.fr", "libero.it", "comcast.net", "naver.com", "example.org",
    ];

    // In alphabetical order, which is the order of the partitions; how many of a thousand events are of that kind.
    private static readonly (string Name, int Share)[] Kinds =
    [
        ("bounce", 35), ("click", 45), ("delivered", 335), ("open", 200), ("processed", 370), ("reject", 8), ("resubscribe", 1),
        ("spam", 1), ("unsubscribe", 5),
    ];

    /// <summary>The most that a transaction may have.</summary>
    private const int RowsPerTransaction = 100;

    public static async Task FillAsync(TableClient table, DateOnly day, TimeSpan length, int events, CancellationToken cancellationToken)
    {
        foreach (var partition in Rows(day, length, events).GroupBy(row => row.PartitionKey))
        {
            foreach (var chunk in partition.Chunk(RowsPerTransaction))
            {
                await table.SubmitTransactionAsync(
                    chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)), cancellationToken);
            }
        }
    }

    private static IEnumerable<TableEntity> Rows(DateOnly day, TimeSpan length, int events)
    {
        var begin = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero);
        foreach (var (name, share) in Kinds)
        {
            var count = events * share / 1_000;
            for (var i = 0; i < count; i++)
            {
                yield return RowOf(name, begin + (length * ((double)i / count)), $"{day:yyyyMMdd}{name}{i}", i);
            }
        }
    }

    private static TableEntity RowOf(string name, DateTimeOffset time, string id, int i)
    {
        var at = time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var who = $"person{i % 20_000}@{Providers[i % Providers.Length]}";
        var body = $"event={name}&id={id}&email_id={EmailId(time.AddSeconds(-(i % 97 * (i % 7))), i)}&time={at}&auth=api-597435AE4E55"
            + $"&subject=Your+order+{i}&sender=shop@shop{i % 60}.example"
            + $"&from_address=shop@shop{i % 60}.example&srchost=192.0.2.1"
            + name switch
            {
                "processed" => $"&recipients={who}",
                "bounce" when i % 3 == 0 => $"&rcpt={who}&bounce=hard&message=550+5.1.1+no+such+user&host=mx.example.com+[203.0.113.22]",
                "bounce" => $"&rcpt={who}&bounce=soft&message=452+4.2.2+mailbox+full&host=mx.example.com+[203.0.113.22]",
                "delivered" => $"&rcpt={who}&message=250+2.0.0+OK&host=mx.example.com+[203.0.113.22]",
                "open" => $"&rcpt={who}&user-agent={(i % 3 == 0 ? "GoogleImageProxy" : "Thunderbird")}&geoip-country=NZ",
                _ => $"&rcpt={who}",
            };
        if (!EmailEvent.TryParse(BinaryData.FromString(body), out var e, out var problem))
        {
            throw new InvalidOperationException($"Not an event: {problem}.");
        }

        var webhook = new ReceivedWebhook(id, time, "application/x-www-form-urlencoded", body, null);
        return EventIndex.ByDay(e, EventColumns.ToRow(e, webhook));
    }

    private static string EmailId(DateTimeOffset submitted, int i) =>
        string.Create(CultureInfo.InvariantCulture, $"{SubmissionTime.ToText(submitted)}-FnQW0{i % 1_000_000:000000}-NRRC");
}
