using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests;

/// <summary>The values of the alerts' queries over the metrics that the app emits, evaluated by <c>infra/kql/evaluate.js</c>.</summary>
public sealed class AlertMeaningTests(AzuriteFixture azurite)
{
    private static readonly string[] OfDeliverability =
        ["hard-bounces", "hard-bounces-high", "complaints", "complaints-high", "slow-delivery", "sender-rejects"];

    // What is stored, and the alerts that it raises. All of them are evaluated at once: it takes Node.js a second or two to start.
    private static readonly Dictionary<string, (Action<MetricRows>[] Mail, string[] Raised)> Cases = new()
    {
        ["nothing"] = ([], ["oldest-message", "silence", "audit-stopped"]),
        ["5 % bounced"] = ([Delivered(95), Bounced(5)], []),
        ["6 % bounced"] = ([Delivered(94), Bounced(6)], ["hard-bounces"]),
        ["10 % bounced"] = ([Delivered(90), Bounced(10)], ["hard-bounces"]),
        ["11 % bounced"] = ([Delivered(89), Bounced(11)], ["hard-bounces", "hard-bounces-high"]),
        ["too few bounced"] = ([Bounced(99)], []),
        ["soft bounces"] = ([Delivered(100), Bounced(900, "soft")], []),
        ["1 in 1,000 complained"] = ([Delivered(2_000), Some(2, "spam")], []),
        ["3 in 2,000 complained"] = ([Delivered(2_000), Some(3, "spam")], ["complaints"]),
        ["3 in 1,000 complained"] = ([Delivered(1_000), Some(3, "spam")], ["complaints"]),
        ["4 in 1,000 complained"] = ([Delivered(1_000), Some(4, "spam")], ["complaints", "complaints-high"]),
        ["too little was delivered"] = ([Delivered(999), Some(900, "spam")], []),
        ["half took longer"] = ([Delivered(10, 600), Delivered(10, 601)], []),
        ["more than half took longer"] = ([Delivered(10, 600), Delivered(11, 601)], ["slow-delivery"]),
        ["too few took longer"] = ([Delivered(19, 90_000)], []),
        ["5 rejects for the sender's fault"] = ([Rejected(5, BounceClass.Sandboxed)], []),
        ["6 rejects for the sender's fault"] = ([Rejected(6, BounceClass.SenderNotVerified)], ["sender-rejects"]),
        ["6 rejects because of the account's quota"] = (
            [mail => mail.Add(6, "reject", null, new EventFacts { BounceClass = BounceClass.Other }, false, "Monthly quota used up")],
            ["sender-rejects"]),
        ["other rejects"] = ([Rejected(500, BounceClass.Suppressed), Rejected(500, null)], []),
        ["only hard bounces"] = ([Bounced(100)], ["hard-bounces", "hard-bounces-high"]),
        ["other events"] = ([Delivered(1_000, 5), Some(500, "unsubscribe"), Some(500, "sms_failed"), Some(500, "unheard-of")], []),
        ["test events"] = (
            [
                Delivered(1_000, 90_000, isTest: true), Bounced(1_000, isTest: true), Some(1_000, "spam", isTest: true),
                Rejected(1_000, BounceClass.Sandboxed, isTest: true),
            ],
            []),
        ["bounces behind test events"] = ([Bounced(100), Delivered(10_000, isTest: true)], ["hard-bounces", "hard-bounces-high"]),
    };

    [Fact]
    public async Task Mail_raises_the_alerts_that_it_should_and_no_other()
    {
        JsonNode[] alerts = [.. CompiledInfrastructure.Alerts];

        var values = await Kql.EvaluateAsync(alerts.Select(CompiledInfrastructure.Query), Cases.Values.Select(it => RowsOf(it.Mail)));

        foreach (var ((what, it), row) in Cases.Zip(values))
        {
            var raised = alerts.Zip(row)
                .Where(pair => pair.Second > pair.First["properties"]!["criteria"]!["allOf"]![0]!["threshold"]!.GetValue<int>())
                .Select(pair => NameOf(pair.First))
                .Where(name => it.Mail.Length == 0 || OfDeliverability.Contains(name));
            Assert.Equal($"{what}: {string.Join(' ', it.Raised)}", $"{what}: {string.Join(' ', raised)}");
        }
    }

    /// <summary>However often a gauge is exported, it says the same.</summary>
    [Fact]
    public async Task An_audit_raises_the_alert_by_the_events_that_are_missing_and_its_absence_raises_another()
    {
        Dictionary<string, (Action<MetricRows>[] Audits, double Missing, double Stopped)> audits = new()
        {
            ["none"] = ([], 0, 1),
            ["nothing missing"] = ([Audit(0, 0, 0, 0)], 0, 0),
            ["of each kind"] = ([Audit(0, 3, 2, 5)], 10, 0),
            ["processed differs by definition"] = ([Audit(700, 0, 0, 0)], 0, 0),
            ["exported every minute"] = ([rows => rows.Missing("delivered", null, 4, exports: 1_440)], 4, 0),
            ["two in the window"] = ([Audit(0, 3, 2, 5), Audit(0, 1, 4, 0)], 12, 0),
            ["mail, but no audit"] = ([Delivered(1_000), Bounced(500)], 0, 1),
        };

        var values = await Kql.EvaluateAsync(
            [QueryOf("missing-events"), QueryOf("audit-stopped")], audits.Values.Select(it => RowsOf(it.Audits)));

        Assert.Equal(
            audits.Select(it => $"{it.Key}: {it.Value.Missing} {it.Value.Stopped}"),
            audits.Keys.Zip(values).Select(it => $"{it.First}: {it.Second[0]} {it.Second[1]}"));

        static Action<MetricRows> Audit(int processed, int delivered, int hard, int soft) => rows =>
        {
            rows.Missing("processed", null, processed);
            rows.Missing("delivered", null, delivered);
            rows.Missing("bounce", "hard", hard);
            rows.Missing("bounce", "soft", soft);
        };
    }

    [Fact]
    public async Task Each_alert_counts_as_its_rule_says()
    {
        Event[][] mails = [];
        AnyMail.Array[100].Sample(any => { mails = any; }, iter: 1, threads: 1);

        var tables = mails.Select(mail => RowsOf([.. mail.Select(e => (Action<MetricRows>)e.AddTo)]));
        var values = await Kql.EvaluateAsync(OfDeliverability.Select(QueryOf), tables);

        foreach (var (mail, row) in mails.Zip(values))
        {
            var expected = ByTheRules(mail);
            Assert.True(
                expected.Zip(row).All(it => Math.Abs(it.First - it.Second) < 1e-9),
                $"{string.Join(' ', mail.Select(e => $"{e}"))}: {string.Join(' ', row)} instead of {string.Join(' ', expected)}");
        }

        Assert.All(Enumerable.Range(0, OfDeliverability.Length), i => Assert.Contains(values, value => value[i] > 0));
    }

    /// <summary>The same through the exporter, which sends what was added since its last export.</summary>
    [Fact]
    public async Task What_the_exporter_sends_to_Azure_Monitor_raises_each_alert_on_deliverability_and_on_missing_events()
    {
        await using var collector = await TelemetryCollector.StartAsync();
        var settings = new Dictionary<string, string?> { ["APPLICATIONINSIGHTS_CONNECTION_STRING"] = collector.ConnectionString };
        await using (var app = await IngestApp.StartAsync(azurite.NewAccount(), settings, OnlyItsOwnMetrics, pump: false))
        {
            var metrics = app.Services.GetRequiredService<IngestMetrics>();
            for (var export = 0; export < 2; export++)
            {
                Add(500, "delivered", null, new EventFacts { DeliverySeconds = 700 });
                Add(100, "bounce", "hard", new EventFacts { BounceClass = BounceClass.Blocked });
                Add(2, "spam", null, null);
                Add(4, "reject", null, new EventFacts { BounceClass = BounceClass.Sandboxed });
                Add(500, "delivered", null, null, isTest: true);
                metrics.Missing("delivered", null, 4);
                metrics.Missing("bounce", "hard", 3);
                metrics.Missing("processed", null, 900);
                Assert.True(app.Services.GetRequiredService<MeterProvider>().ForceFlush(10_000));
            }

            void Add(int count, string name, string? bounce, EventFacts? facts, bool isTest = false)
            {
                for (var i = 0; i < count; i++)
                {
                    MetricRows.Add(metrics, name, bounce, facts, isTest);
                }
            }
        }

        var rows = new JsonArray([.. collector.ItemsOf("MetricData").Select(MetricRows.RowOf)]);
        var values = Assert.Single(await Kql.EvaluateAsync(
            OfDeliverability.Append("missing-events").Append("audit-stopped").Select(QueryOf), [rows]));

        Assert.Equal([100.0 * 200 / 1_200, 100.0 * 200 / 1_200, 4, 4, 100, 8, 7, 0], values);

        // An exporter listens to meters by name, so it would count what other tests store meanwhile.
        static void OnlyItsOwnMetrics(IServiceCollection services) =>
            services.ConfigureOpenTelemetryMeterProvider((provider, metrics) => metrics.AddView(instrument =>
                instrument.Meter.Scope == provider.GetRequiredService<IMeterFactory>() ? null : MetricStreamConfiguration.Drop));
    }

    [Fact]
    public async Task What_the_evaluator_does_not_know_it_does_not_guess()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => Kql.EvaluateAsync(["customMetrics | take 1 | project value = valueSum"], [[]]));

        Assert.Contains("does not know TakeOperator: take 1", failure.Message, StringComparison.Ordinal);
    }

    private static readonly Gen<Event> AnyEvent = Gen.Select(
        OneOf("delivered", "delivered", "delivered", "delivered", "bounce", "reject", "spam", "open", "processed"),
        OneOf("hard", "soft", "HARD", string.Empty, null),
        OneOf([.. BounceClass.All, null]),
        Gen.OneOf(Gen.Double[-2, 2_000].Select(s => (double?)s), OneOf((double?)null, 0, 600, 601, 864_000)),
        Gen.Int[0, 9].Select(i => i == 0),
        Gen.Int[1, 900],
        (name, bounce, bounceClass, seconds, isTest, times) => new Event(
            name,
            name == "bounce" ? bounce : null,
            new EventFacts
            {
                BounceClass = name is "bounce" or "reject" ? bounceClass : null,
                DeliverySeconds = name == "delivered" ? seconds : null,
            },
            isTest,
            times));

    private static readonly Gen<Event[]> AnyMail = AnyEvent.Array[0, 12];

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    /// <summary>Some events of a kind.</summary>
    private sealed record Event(string Name, string? Bounce, EventFacts Facts, bool IsTest, int Times)
    {
        public void AddTo(MetricRows rows) => rows.Add(Times, Name, Bounce, Facts, IsTest);
    }

    // In the order of OfDeliverability, from the events and not from the metrics.
    private static double[] ByTheRules(Event[] mail)
    {
        Event[] real = [.. mail.Where(e => !e.IsTest)];
        var delivered = Count(e => e.Name == "delivered");
        var hard = Count(e => e.Name == "bounce" && string.Equals(e.Bounce, "hard", StringComparison.OrdinalIgnoreCase));
        var timed = Count(e => e.Facts.DeliverySeconds is not null);
        var bounceRate = delivered + hard >= 100 ? 100.0 * hard / (delivered + hard) : 0;
        var complaintRate = delivered >= 1_000 ? 1_000.0 * Count(e => e.Name == "spam") / delivered : 0;
        var slow = timed >= 20 ? 100.0 * Count(e => e.Facts.DeliverySeconds > 600) / timed : 0;
        var rejects = Count(e => e is { Name: "reject", Facts.BounceClass: BounceClass.SenderNotVerified or BounceClass.Sandboxed });
        return [bounceRate, bounceRate, complaintRate, complaintRate, slow, rejects];

        int Count(Func<Event, bool> that) => real.Where(that).Sum(e => e.Times);
    }

    private static Action<MetricRows> Delivered(int count, double? seconds = null, bool isTest = false) =>
        Some(count, "delivered", null, new EventFacts { DeliverySeconds = seconds }, isTest);

    private static Action<MetricRows> Bounced(int count, string kind = "hard", bool isTest = false) =>
        Some(count, "bounce", kind, new EventFacts { BounceClass = BounceClass.InvalidRecipient }, isTest);

    private static Action<MetricRows> Rejected(int count, string? bounceClass, bool isTest = false) =>
        Some(count, "reject", null, new EventFacts { BounceClass = bounceClass }, isTest);

    private static Action<MetricRows> Some(
        int count, string name, string? bounce = null, EventFacts? facts = null, bool isTest = false) =>
        mail => mail.Add(count, name, bounce, facts, isTest);

    private static JsonArray RowsOf(params Action<MetricRows>[] mail)
    {
        using var rows = new MetricRows();
        Array.ForEach(mail, add => add(rows));
        return rows.Rows;
    }

    private static string NameOf(JsonNode alert) =>
        CompiledInfrastructure.Name(alert).Replace("smtp2go-", string.Empty, StringComparison.Ordinal);

    private static string QueryOf(string name) =>
        CompiledInfrastructure.Query(Assert.Single(CompiledInfrastructure.Alerts, alert => NameOf(alert) == name));
}
