using Azure.Data.Tables;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Puts the events of one second into the order in which they happened; rows come ordered by time and then by name.</summary>
internal static class EventOrder
{
    // If one second has more, as in a mailing to thousands, they come in the order of their rows.
    private const int MaxInOneSecond = 10_000;

    public static async IAsyncEnumerable<StoredEvent> InOrderAsync(this IAsyncEnumerable<StoredEvent> events)
    {
        List<StoredEvent> second = [];
        await foreach (var e in events)
        {
            if (second.Count > 0 && (SecondOf(e) != SecondOf(second[0]) || second.Count >= MaxInOneSecond))
            {
                foreach (var ordered in OfOneMoment(second))
                {
                    yield return ordered;
                }

                second.Clear();
            }

            second.Add(e);
        }

        foreach (var ordered in OfOneMoment(second))
        {
            yield return ordered;
        }
    }

    /// <summary>Events of the same second, in the order in which they happened.</summary>
    /// <remarks>By sendtime only if all have one: otherwise two orders would be mixed.</remarks>
    public static IEnumerable<StoredEvent> OfOneMoment(List<StoredEvent> second) =>
        second.Count < 2 ? second
        : second.TrueForAll(e => e.SendTime is not null) ? second.OrderBy(e => e.SendTime).ThenBy(StepOf)
        : second.OrderBy(StepOf);

    /// <summary>Rows of an index, the newest first.</summary>
    public static IEnumerable<StoredEvent> NewestFirst(IEnumerable<TableEntity> rows) => rows
        .GroupBy(MomentOf)
        .OrderByDescending(moment => moment.Key, StringComparer.Ordinal)
        .SelectMany(moment => OfOneMoment([.. moment.Select(StoredEvent.Of)]).Reverse());

    // Keys begin with the time.
    private static string MomentOf(TableEntity row) => row.RowKey.Split('_', 2)[0];

    private static long? SecondOf(StoredEvent e) => e.Time?.ToUnixTimeSeconds();

    private static int StepOf(StoredEvent e) => e.Name switch
    {
        "processed" or "sms_submitted" => 0,
        "sms_sending" => 1,
        "delivered" or "bounce" or "reject" or "sms_delivered" or "sms_failed" or "sms_rejected" => 2,
        "open" => 3,
        "click" => 4,
        _ => 5,
    };
}
