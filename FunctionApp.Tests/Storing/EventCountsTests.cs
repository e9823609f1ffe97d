using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests.Storing;

public sealed class EventCountsTests : IDisposable
{
    private readonly Emitted emitted = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();

    public static TheoryData<string> Classes => [.. BounceClass.All];

    [Theory]
    [MemberData(nameof(Classes))]
    public void Each_class_is_a_tag(string bounceClass)
    {
        var facts = new EventFacts { BounceClass = bounceClass };

        Assert.Equal($"events.bounced 1 [bounce, hard] [class, {bounceClass}]", Counted("bounce", "HARD", facts));
        Assert.Equal($"events.bounced 1 [bounce, soft] [class, {bounceClass}]", Counted("bounce", "soft", facts));
        Assert.Equal(
            $"events.rejected 1 [fault, {RejectFault.Of(bounceClass, null)}] [class, {bounceClass}]", Counted("reject", null, facts));
    }

    [Fact]
    public void A_reject_without_a_class_is_nobodys_fault() =>
        Assert.Equal("events.rejected 1 [fault, unknown] [class, other]", Counted("reject", null, new EventFacts()));

    [Fact]
    public void Only_a_suppression_is_the_recipients_fault_and_only_SMTP2GOs_own_refusals_are_the_senders()
    {
        Assert.Equal([BounceClass.Suppressed], OfFault("recipient"));
        Assert.Equal([BounceClass.SenderNotVerified, BounceClass.Sandboxed], OfFault("sender"));
        Assert.Equal(BounceClass.All.Count - 3, OfFault("unknown").Count());

        static IEnumerable<string> OfFault(string fault) => BounceClass.All.Where(it => RejectFault.Of(it, null) == fault);
    }

    [Theory]
    [InlineData("Monthly quota used up", "sender")]
    [InlineData("Rate limit of 200 emails per hour reached for this SMTP user", "sender")]
    [InlineData("The credential is disabled", "sender")]
    [InlineData("limit@quota.example is blocked", "unknown")]
    [InlineData("Something else", "unknown")]
    public void The_accounts_own_limit_is_the_senders_fault(string reason, string fault) => Assert.Equal(
        $"events.rejected 1 [fault, {fault}] [class, other]",
        Counted("reject", null, new EventFacts { BounceClass = BounceClassifier.Of("reject", reason) }, reason));

    // A range includes its upper bound, so that "over 600" is what took more than ten minutes.
    [Theory]
    [InlineData(-2, 0)]
    [InlineData(0, 0)]
    [InlineData(10, 0)]
    [InlineData(10.5, 10)]
    [InlineData(60, 10)]
    [InlineData(300, 60)]
    [InlineData(301, 300)]
    [InlineData(600, 300)]
    [InlineData(601, 600)]
    [InlineData(1_801, 1_800)]
    [InlineData(3_601, 3_600)]
    [InlineData(14_401, 14_400)]
    [InlineData(86_400, 14_400)]
    [InlineData(864_000, 86_400)]
    public void A_delivery_counts_in_the_range_that_it_falls_into(double seconds, int over) => Assert.Equal(
        FormattableString.Invariant($"events.delivery.duration {Math.Max(0, seconds)} [over, {over}]"),
        Counted("delivered", null, new EventFacts { DeliverySeconds = seconds }));

    [Theory]
    [InlineData("delivered")]
    [InlineData("open")]
    [InlineData("sms_delivered")]
    [InlineData("unheard-of")]
    public void An_event_without_such_a_fact_counts_nowhere(string name) => Assert.Null(Counted(name, null, new EventFacts()));

    public void Dispose()
    {
        emitted.Dispose();
        services.Dispose();
    }

    private string? Counted(string eventName, string? bounce, EventFacts facts, string message = "")
    {
        var before = emitted.MeasuredBy(services).Count();
        Assert.True(EmailEvent.TryCreate(
            [
                new WebhookField("event", [new FieldValue(eventName)]),
                new WebhookField("bounce", [new FieldValue(bounce ?? string.Empty)]),
                new WebhookField("message", [new FieldValue(message)]),
            ],
            out var e));
        EventCounts.Add(services.GetRequiredService<IngestMetrics>(), e, facts, TimeSpan.Zero);
        return emitted.MeasuredBy(services)
            .Skip(before)
            .Select(line => line["metric Smtp2GoIngest ".Length..])
            .SingleOrDefault(line => !line.StartsWith("events.stored ", StringComparison.Ordinal)
                && !line.StartsWith("events.lag ", StringComparison.Ordinal));
    }
}
