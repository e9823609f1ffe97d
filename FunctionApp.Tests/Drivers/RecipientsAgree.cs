using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests;

/// <summary>
/// The table of recipients equals what all stored events say, read from their bodies and judged by definition, not by a fold.
/// </summary>
internal static class RecipientsAgree
{
    private static readonly string[] Names = ["bounce", "spam", "unsubscribe", "resubscribe", "opt-out", "reject"];

    public static async Task AssertAsync(string account)
    {
        var blobs = new WebhookBlobs(new BlobServiceClient(account));
        var about = new Dictionary<string, List<RecipientEvent>>(StringComparer.Ordinal);
        foreach (var stored in await IndexTests.RowsAsync(account, EventStore.TableName))
        {
            var body = await StoredBody.Of(stored).ReadAsync(blobs, Test.Token);
            var e = body is not null && EmailEvent.TryParse(body, out var read, out _) ? read : Redaction.EventOf(stored);
            foreach (var address in e is null ? [] : EventIndex.RecipientsOf(e).Take(EventIndex.MaxRecipients))
            {
                var key = EventKeys.RecipientPartitionKey(address);
                about[key] = [.. about.GetValueOrDefault(key, []), RecipientEvent.Of(e!, address)];
            }
        }

        var expected = about.Select(it => Describe(it.Key, Judge(it.Value))).OfType<string>();
        var actual = (await IndexTests.RowsAsync(account, Recipients.TableName)).Select(Describe);
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }

    /// <summary>The state that these events leave an address in, whatever their order; null if there is none.</summary>
    public static RecipientState? Judge(IEnumerable<RecipientEvent> events)
    {
        RecipientEvent[] all =
        [
            .. events.Where(e => !e.IsTest)
                .DistinctBy(e => e.RowKey)
                .OrderBy(e => e.Time is not null)
                .ThenBy(e => e.RowKey, StringComparer.Ordinal),
        ];
        RecipientEvent[] count = [.. all.Where(IsStateEvent)];
        if (count.Length == 0)
        {
            return null;
        }

        // After each event: does each state hold?
        var states = RecipientState.All.SkipLast(1).ToList();
        var history = Enumerable.Range(1, all.Length).Select(n => states.Select(state => Holds(state, all[..n])).ToArray()).ToList();
        var holding = Array.IndexOf(history[^1], true);
        var since = holding >= 0
            ? all[history.FindLastIndex(after => !after[holding]) + 1]
            : all.Select((e, i) => (Event: e, At: i)).LastOrDefault(it =>
                it.Event.Name == "resubscribe" || (it.Event.IsDelivery && it.At > 0 && history[it.At - 1].Skip(2).Contains(true))).Event;
        return new RecipientState(
            count[^1].Recipient,
            holding >= 0 ? states[holding] : RecipientState.Active,
            since?.Time,
            count[^1].Name,
            holding < 0 ? count.LastOrDefault(e => e.Class is not null)?.Class : since!.Class,
            all.LastOrDefault(e => e.IsDelivery)?.Time);
    }

    private static bool Holds(string state, RecipientEvent[] past)
    {
        var consent = past[(Array.FindLastIndex(past, e => e.Name == "resubscribe") + 1)..];
        var undelivered = consent[(Array.FindLastIndex(consent, e => e.IsDelivery) + 1)..];
        return state switch
        {
            RecipientState.Complained => consent.Any(e => e.Name == "spam"),
            RecipientState.Unsubscribed => consent.Any(e => e.Name is "unsubscribe" or "opt-out"),
            RecipientState.HardBounced => undelivered.Any(e => e is { Name: "bounce", IsHard: true }),
            RecipientState.Suppressed => undelivered.Any(e => e.Name == "reject" && IsStateEvent(e)),
            _ => undelivered.Count(e => e is { Name: "bounce", IsHard: false }) >= 3,
        };
    }

    private static bool IsStateEvent(RecipientEvent e) =>
        Names.Contains(e.Name) && (e.Name != "reject" || e.Class == BounceClass.Suppressed);

    private static string? Describe(string key, RecipientState? state) => state is null ? null : Describe(state.ToRow(
        key.Contains('@', StringComparison.Ordinal) && !key.EndsWith('@') ? key.Split('@')[^1] : "no-domain", key));

    private static string Describe(TableEntity row) => string.Join(
        '|', row.Where(p => p.Key is not ("Timestamp" or "odata.etag")).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p =>
            $"{p.Key}={(p.Value is DateTimeOffset time ? time.UtcDateTime.ToString("O") : p.Value)}"));
}

/// <summary>What counts of one event for one of its recipients.</summary>
internal sealed record RecipientEvent(
    string RowKey, DateTimeOffset? Time, string Name, bool IsTest, bool IsHard, string? Class, string Recipient)
{
    public bool IsDelivery => Name is "delivered" or "sms_delivered";

    public static RecipientEvent Of(EmailEvent e, string address)
    {
        string? FieldOf(string name) => e.Fields.FirstOrDefault(field => field.Name == name)?.Values[0].Text;
        var time = e.Time is { } exact ? exact.AddTicks(-(exact.Ticks % TimeSpan.TicksPerMillisecond)) : e.Time;
        return new RecipientEvent(
            EventKeys.RecipientRowKey(e),
            time,
            e.Name,
            e.IsTest,
            string.Equals(FieldOf("bounce"), "hard", StringComparison.OrdinalIgnoreCase),
            e.Name is "bounce" or "reject" ? BounceClassifier.Of(e.Name, FieldOf("message")) : null,
            address);
    }
}
