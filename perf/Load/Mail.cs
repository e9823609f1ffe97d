using System.Text;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>
/// The webhooks of a large send-out, in the order in which they come: one recipient for each email, as forms and as JSON. Of each 20
/// emails, 19 are delivered and one bounces, one to two seconds after they were processed, at a thousand webhooks a second. Six are opened,
/// two of them clicked, and one changes what its reader has subscribed to, ten seconds after.
/// </summary>
internal static class Mail
{
    private const int EmailsInBlock = 20;
    private const int WebhooksInBlock = 49;
    private const int BlocksUntilDelivered = 20;
    private const int BlocksUntilRead = 200;

    // Far more than one run posts, so that each email has its events once.
    private const int Emails = 0x1000000;

    private static readonly string[] Subscriptions = ["unsubscribe", "spam", "resubscribe"];

    private static readonly Dictionary<string, (string Form, string Json)> Templates = SampleWebhook
        .OneOfEach("EMAILID-EMAILID", DateTimeOffset.UtcNow, "reader-RECIPIENT@example.org", "EVENTID")
        .ToDictionary(
            webhook => webhook.Fields.Single(field => field.Key == "event").Value.ToString()!,
            webhook => (webhook.ToForm(), webhook.ToJson()));

    private static int next;

    /// <param name="id">Of its event, which no other has.</param>
    public static HttpContent Next(out string id)
    {
        var n = Interlocked.Increment(ref next);
        var (name, email) = EventOf(n);
        id = $"{n:x32}";
        var (form, json) = Templates[name];
        var isForm = email % 2 == 0;
        var body = (isForm ? form : json)
            .Replace("EVENTID", id, StringComparison.Ordinal)
            .Replace("EMAILID-EMAILID", $"1w{email:x6}-AbCdEfGhIjK-Lm", StringComparison.Ordinal)
            .Replace("RECIPIENT", $"{email:x6}", StringComparison.Ordinal);
        return new StringContent(body, Encoding.UTF8, isForm ? "application/x-www-form-urlencoded" : "application/json");
    }

    private static (string Name, int Email) EventOf(int n)
    {
        // Ten has no factor in common with the block's size: the kinds of events alternate.
        var (block, slot) = (n / WebhooksInBlock, n * 10L % WebhooksInBlock);
        var i = (int)(slot % EmailsInBlock);
        return slot switch
        {
            < EmailsInBlock => ("processed", EmailOf(block, i)),
            < (2 * EmailsInBlock) - 1 => ("delivered", EmailOf(block - BlocksUntilDelivered - i, i)),
            (2 * EmailsInBlock) - 1 => ("bounce", EmailOf(block - BlocksUntilDelivered - i, i)),
            < 46 => ("open", EmailOf(block - BlocksUntilRead, i)),
            < 48 => ("click", EmailOf(block - BlocksUntilRead, i - 6)),
            _ => (Subscriptions[block % Subscriptions.Length], EmailOf(block - BlocksUntilRead, 2)),
        };
    }

    private static int EmailOf(int block, int i) => ((block * EmailsInBlock) + i + Emails) % Emails;
}
