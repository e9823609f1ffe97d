using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Storing;

/// <summary>Counts a new event for telemetry. Every tag is one of a few known words, never a text that a sender chooses.</summary>
internal static class EventCounts
{
    public static void Add(IngestMetrics metrics, EventRow e, DateTimeOffset now) =>
        Add(metrics, e.Event, e.Facts, now - e.Webhook.ReceivedAt);

    /// <param name="after">From receiving the webhook to its stored row.</param>
    internal static void Add(IngestMetrics metrics, EmailEvent e, EventFacts facts, TimeSpan after)
    {
        metrics.Stored(EventName.IsKnown(e.Name) ? e.Name : "other", e.IsTest, after);
        if (e.IsTest)
        {
            // It says nothing about anybody's mail.
            return;
        }

        var bounceClass = facts.BounceClass ?? BounceClass.Other;
        switch (e.Name)
        {
            case "bounce":
                var isHard = string.Equals(e.ValueOf("bounce"), "hard", StringComparison.OrdinalIgnoreCase);
                metrics.Bounced(isHard ? "hard" : "soft", bounceClass);
                break;
            case "reject":
                metrics.Rejected(RejectFault.Of(bounceClass, e.ValueOf("message")), bounceClass);
                break;
            case "delivered" when facts.DeliverySeconds is { } seconds:
                metrics.Delivered(seconds);
                break;
        }
    }
}
