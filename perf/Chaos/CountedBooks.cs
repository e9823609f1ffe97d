using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Compares the counted tables with the rows that they were made from, in its own way.</summary>
internal static class CountedBooks
{
    private static readonly string[] StateEvents = ["bounce", "spam", "unsubscribe", "resubscribe", "opt-out"];

    /// <summary>The night's count, as the app does it.</summary>
    public static async Task CountAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection()
            .AddSmtp2GoIngest(new ConfigurationBuilder().AddInMemoryCollection([new("EventStorage", connectionString)]).Build())
            .BuildServiceProvider();
        await services.GetRequiredService<DayCounting>().CountDueAsync(cancellationToken);
    }

    public static async Task<IReadOnlyList<BookLine>> BalanceAsync(string connectionString, CancellationToken cancellationToken)
    {
        var days = (await RowsAsync("Smtp2GoDays")).Where(row => row.PartitionKey.StartsWith('2') && row.RowKey.Length > 10).ToList();
        var byDay = (await RowsAsync("Smtp2GoEventsByDay"))
            .Where(row => row.PartitionKey.StartsWith('2'))
            .ToLookup(row => row.PartitionKey);
        var recipients = (await RowsAsync("Smtp2GoRecipients")).ToDictionary(row => row.RowKey);
        var byRecipient = (await RowsAsync("Smtp2GoEventsByRecipient")).ToLookup(row => row.PartitionKey);
        var expected = byRecipient.Where(about => about.Any(IsStateEvent)).ToDictionary(about => about.Key, StateOf);
        return
        [
            new(
                "days: the counts match the rows",
                days.Count,
                [
                    .. byDay.Select(day => day.Key).Union(days.Select(row => row.RowKey))
                        .Where(key => byDay[key].Count() != days.Where(row => row.RowKey == key).Sum(row => row.GetInt64("Count"))
                            || byDay[key].Count(IsHard) != days.Where(row => row.RowKey == key).Sum(row => row.GetInt64("HardBounces"))),
                ]),
            new(
                "recipients: everyone who should have a state, in the state that the events lead to",
                recipients.Count,
                [
                    .. expected.Keys.Union(recipients.Keys)
                        .Select(address => (
                            Address: address,
                            Is: recipients.GetValueOrDefault(address)?.GetString("State"),
                            Should: expected.GetValueOrDefault(address)))
                        .Where(it => it.Is != it.Should)
                        .Select(it => $"{it.Address}: {it.Is}, not {it.Should}"),
                ]),
        ];

        async Task<List<TableEntity>> RowsAsync(string table) => await new TableClient(connectionString, table)
            .QueryAsync<TableEntity>(cancellationToken: cancellationToken)
            .ToListAsync(cancellationToken);
    }

    // All events of the chaos have a time, so the keys have the order. Its one kind of reject is the sender's fault or the recipient's.
    private static string StateOf(IEnumerable<TableEntity> rows)
    {
        List<TableEntity> ordered = [.. rows.OrderBy(row => row.RowKey, StringComparer.Ordinal)];
        var restart = ordered.FindLastIndex(row => row.GetString("event") == "resubscribe");
        List<TableEntity> since = [.. ordered.Skip(restart + 1)];
        var delivery = since.FindLastIndex(row => row.GetString("event") is "delivered" or "sms_delivered");
        List<TableEntity> undelivered = [.. since.Skip(delivery + 1)];

        // Three soft bounces with no delivery between or after them.
        return since.Exists(row => row.GetString("event") == "spam") ? "complained"
            : since.Exists(row => row.GetString("event") is "unsubscribe" or "opt-out") ? "unsubscribed"
            : undelivered.Exists(IsHard) ? "hard-bounced"
            : undelivered.Exists(IsSuppressed) ? "suppressed"
            : undelivered.Count(row => row.GetString("event") == "bounce") >= 3 ? "soft-bouncing"
            : "active";
    }

    private static bool IsStateEvent(TableEntity row) => StateEvents.Contains(row.GetString("event")) || IsSuppressed(row);

    private static bool IsSuppressed(TableEntity row) => row.GetString("event") == "reject" && row.GetString("BounceClass") == "suppressed";

    private static bool IsHard(TableEntity row) => row.GetString("event") == "bounce" && row.GetString("bounce") == "hard";
}
