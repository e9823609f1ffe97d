using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>SMTP2GO's webhooks as the tests have them: what tests of reconciling rely on.</summary>
public sealed class Smtp2GoWebhookTests
{
    private static readonly DateTimeOffset Day = Smtp2GoClient.Day;

    [Fact]
    public void The_published_schedule_has_36_tries_over_96_and_a_half_hours()
    {
        Assert.Equal(36, RetrySchedule.Tries.Count);
        Assert.Equal(TimeSpan.Zero, RetrySchedule.Tries[0]);
        Assert.Equal(TimeSpan.FromHours(96.5), RetrySchedule.Tries[^1]);
        Assert.Equal(5, RetrySchedule.Tries.Count(it => it <= TimeSpan.FromHours(0.5)));
        Assert.Equal(29, RetrySchedule.Tries.Count(it => it <= TimeSpan.FromHours(24.5)));
        Assert.Equal(33, RetrySchedule.Tries.Count(it => it <= TimeSpan.FromHours(48.5)));
        Assert.Equal(35, RetrySchedule.Tries.Count(it => it <= TimeSpan.FromHours(72.5)));
    }

    [Fact]
    public async Task Every_event_is_posted_once_and_acknowledged()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        var events = Traffic.Day(3, 400, Day);
        account.Add(events);
        using var delivery = Delivery(account, receiver);

        await delivery.AdvanceAsync(Day.AddDays(2), Test.Token);

        Assert.Equal(events.Count, receiver.Posts.Count);
        Assert.All(account.Events, it => Assert.True(it is { IsAcknowledged: true, Tries: 1, Deliveries: 1, UncertainTries: 0 }));
        Assert.Equal(
            events.Where(it => it.Email.HasId).Select(it => it.Id).Order(StringComparer.Ordinal),
            receiver.Posts.Select(post => QueryHelpers.ParseQuery(post.Body)).Where(form => form.ContainsKey("id"))
                .Select(form => form["id"].ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(Day.AddDays(2), account.Now);
    }

    [Fact]
    public async Task Nothing_is_sent_before_its_time()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1, 100), Smtp2GoClient.Open(2, 200));
        using var delivery = Delivery(account, receiver);

        await delivery.AdvanceAsync(Day.AddSeconds(99), Test.Token);
        Assert.Empty(receiver.Posts);
        await delivery.AdvanceAsync(Day.AddSeconds(199), Test.Token);
        Assert.Single(receiver.Posts);
        account.Add(Smtp2GoClient.Open(3, 150));
        await delivery.AdvanceAsync(Day.AddSeconds(300), Test.Token);
        Assert.Equal(3, receiver.Posts.Count);
    }

    [Fact]
    public async Task What_is_never_taken_is_tried_by_the_schedule_and_then_given_up()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = _ => 503;
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1));
        using var delivery = Delivery(account, receiver);

        await delivery.AdvanceAsync(Day.AddHours(96), Test.Token);
        Assert.False(Assert.Single(delivery.FailedNotifications).IsGivenUp);
        await delivery.AdvanceAsync(Day.AddDays(30), Test.Token);

        var failed = Assert.Single(delivery.FailedNotifications);
        Assert.True(failed.IsGivenUp);
        Assert.Equal(36, receiver.Posts.Count);
        Assert.Equal(RetrySchedule.Tries, failed.Tries.Select(it => it.Time - failed.Tries[0].Time));
        Assert.All(failed.Tries, it => Assert.Equal(503, it.Status));
        Assert.Single(receiver.Posts.Select(post => post.Body).Distinct());
    }

    [Fact]
    public async Task A_failed_notification_can_be_tried_again_by_hand()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = _ => 401;
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1));
        using var delivery = Delivery(account, receiver);
        await delivery.AdvanceAsync(Day.AddDays(30), Test.Token);
        var failed = Assert.Single(delivery.FailedNotifications);

        Assert.False(await delivery.RetryAsync(failed, Test.Token));
        receiver.Status = _ => 200;
        Assert.True(await delivery.RetryAsync(failed, Test.Token));

        Assert.Empty(delivery.FailedNotifications);
        Assert.True(account.Events[0] is { IsAcknowledged: true, Tries: 38 });
    }

    [Fact]
    public async Task What_got_through_by_hand_or_was_cancelled_is_not_tried_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = _ => 500;
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1), Smtp2GoClient.Open(2));
        using var delivery = Delivery(account, receiver);
        await delivery.AdvanceAsync(Day.AddMinutes(1), Test.Token);
        var (cancelled, retried) = (delivery.FailedNotifications[0], delivery.FailedNotifications[1]);

        delivery.Cancel(cancelled);
        receiver.Status = _ => 200;
        await delivery.RetryAsync(retried, Test.Token);
        await delivery.AdvanceAsync(Day.AddDays(30), Test.Token);

        Assert.Equal(3, receiver.Posts.Count);
        Assert.False(cancelled.Event.WasDelivered);
        Assert.Empty(delivery.FailedNotifications);
    }

    [Fact]
    public async Task An_outage_makes_no_connection_and_is_made_up_for()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Day(4, 100, Day));
        using var delivery = Delivery(account, receiver);
        delivery.AddOutage(Day.AddHours(6), Day.AddHours(12));

        await delivery.AdvanceAsync(Day.AddHours(12).AddTicks(-1), Test.Token);
        var before = Day.AddHours(6) - WebhookDelivery.LongestDelay;
        Assert.InRange(
            receiver.Posts.Count, account.Events.Count(it => it.Date < before), account.Events.Count(it => it.Date < Day.AddHours(6)));
        await delivery.AdvanceAsync(Day.AddDays(2), Test.Token);

        Assert.All(account.Events, it => Assert.True(it is { IsAcknowledged: true, Deliveries: 1 }));
        Assert.Equal(account.Events.Count, receiver.Posts.Count);
    }

    [Fact]
    public async Task An_outage_begins_at_its_start_and_is_over_at_its_end()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        using var delivery = Delivery(account, receiver);
        delivery.AddOutage(Day, Day.AddHours(1));

        var first = await delivery.PressTestAsync(Smtp2GoEventKind.Spam, Test.Token);
        account.Now = Day.AddHours(1).AddTicks(-1);
        var last = await delivery.PressTestAsync(Smtp2GoEventKind.Spam, Test.Token);
        account.Now = Day.AddHours(1);
        var after = await delivery.PressTestAsync(Smtp2GoEventKind.Spam, Test.Token);

        Assert.Equal([0, 0, 200], [first.Status, last.Status, after.Status]);
    }

    [Fact]
    public async Task After_an_outage_of_five_days_its_first_events_are_given_up()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Week(5, 300, Day));
        using var delivery = Delivery(account, receiver);
        delivery.AddOutage(Day.AddDays(1), Day.AddDays(6));

        await delivery.AdvanceAsync(Day.AddDays(20), Test.Token);

        // The last try comes 96.5 hours after the first, which may come some seconds after the event.
        var end = Day.AddDays(6).AddHours(-96.5);
        var lost = account.Events.Where(it => it.Date >= Day.AddDays(1) && it.Date < end - WebhookDelivery.LongestDelay);
        var kept = account.Events.Where(it => it.Date < Day.AddDays(1) - WebhookDelivery.LongestDelay || it.Date >= end);
        Assert.All(lost, it => Assert.True(it is { WasDelivered: false, Tries: 36 }));
        Assert.All(kept, it => Assert.True(it.WasDelivered));
        Assert.Contains(account.Events, it => !it.WasDelivered);
        Assert.All(delivery.FailedNotifications, it => Assert.True(it.IsGivenUp));
        Assert.Equal(account.Events.Count(it => !it.WasDelivered), delivery.FailedNotifications.Count);
    }

    [Fact]
    public async Task Where_the_answer_gets_lost_the_app_has_it_twice()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Day(6, 300, Day));
        using var delivery = Delivery(account, receiver);
        delivery.LostAnswers = 0.2;

        await delivery.AdvanceAsync(Day.AddDays(7), Test.Token);

        Assert.All(account.Events, it => Assert.True(it.IsAcknowledged));
        Assert.InRange(account.Events.Count(it => it.Deliveries > 1) / (double)account.Events.Count, 0.1, 0.3);
        Assert.Equal(account.Events.Sum(it => it.Deliveries), receiver.Posts.Count);
    }

    [Fact]
    public async Task A_broken_connection_is_counted_as_uncertain()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = _ => receiver.Posts.Count == 1 ? -1 : 200;
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1));
        using var delivery = Delivery(account, receiver);

        await delivery.AdvanceAsync(Day.AddHours(1), Test.Token);

        Assert.True(account.Events[0] is { Tries: 2, Deliveries: 1, UncertainTries: 1, IsAcknowledged: true });
    }

    [Fact]
    public async Task An_app_that_is_away_is_certain_to_have_nothing()
    {
        var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Smtp2GoClient.Open(1));
        using var delivery = Delivery(account, receiver);
        await receiver.DisposeAsync();

        await delivery.AdvanceAsync(Day.AddMinutes(1), Test.Token);

        Assert.True(account.Events[0] is { Tries: 1, Deliveries: 0, UncertainTries: 0, IsAcknowledged: false });
    }

    [Fact]
    public async Task What_is_filtered_out_is_never_sent_and_a_changed_filter_holds_for_what_happens_then()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Day(7, 400, Day));
        var webhook = account.AddWebhook(new Smtp2GoWebhook(receiver.Url()) { Events = ["open", "delivered"], Usernames = ["shop"] });
        using var delivery = new WebhookDelivery(account, webhook);

        await delivery.AdvanceAsync(Day.AddHours(12), Test.Token);
        account.ChangeWebhook(webhook with { Events = EventNames.Webhook, Usernames = [] });
        await delivery.AdvanceAsync(Day.AddDays(7), Test.Token);

        var before = account.Events.Where(it => it.Date < Day.AddHours(12) - WebhookDelivery.LongestDelay).ToList();
        Assert.All(before, it => Assert.Equal(
            it.Kind is Smtp2GoEventKind.Opened or Smtp2GoEventKind.Delivered && it.Email.Username == "shop", it.Tries == 1));
        Assert.Contains(before, it => it.WasDelivered);
        Assert.All(account.Events.Where(it => it.Date >= Day.AddHours(12)), it => Assert.Equal(1, it.Tries));
        Assert.Empty(delivery.FailedNotifications);
    }

    [Fact]
    public async Task Stopped_halfway_it_goes_on_later()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        receiver.Status = _ =>
        {
            if (receiver.Posts.Count == 100)
            {
                stop.Cancel();
            }

            return 200;
        };
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Day(8, 300, Day));
        using var delivery = Delivery(account, receiver);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => delivery.AdvanceAsync(Day.AddDays(2), stop.Token));
        await delivery.AdvanceAsync(Day.AddDays(2), Test.Token);

        Assert.All(account.Events, it => Assert.True(it.IsAcknowledged));
    }

    [Theory]
    [InlineData("/webhook?p=secret", "", "", "/webhook?p=secret", "")]
    [InlineData("/webhook_secret", "bearer", "token", "/webhook_secret", "Bearer token")]
    [InlineData("/webhook", "basic", "dTpw", "/webhook", "Basic dTpw")]
    public async Task A_secret_comes_where_the_webhook_has_it(
        string target, string type, string value, string expectedTarget, string expectedAuthorization)
    {
        await using var receiver = await WebhookReceiver.StartAsync();

        await PressAsync(new Smtp2GoWebhook(receiver.Url(target)) { AuthHeaderType = type, AuthHeaderValue = value });

        var post = Assert.Single(receiver.Posts);
        Assert.Equal((expectedTarget, expectedAuthorization), (post.Target, post.Authorization));
    }

    [Fact]
    public async Task A_user_in_the_URL_becomes_basic_authentication()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var url = new UriBuilder(receiver.Url()) { UserName = "user", Password = "p%40ss%3Aword" }.Uri;

        await PressAsync(new Smtp2GoWebhook(url));

        Assert.Equal(
            "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:p@ss:word")), Assert.Single(receiver.Posts).Authorization);
    }

    [Fact]
    public async Task The_test_button_sends_old_times_shows_the_answer_and_enters_no_list()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Status = _ => 401;
        var account = new Smtp2GoAccount(Day);
        var webhook = account.AddWebhook(new Smtp2GoWebhook(receiver.Url()) { Events = [], Headers = ["X-Campaign"] });
        using var delivery = new WebhookDelivery(account, webhook);

        var first = await delivery.PressTestAsync(Smtp2GoEventKind.Opened, Test.Token);
        await delivery.PressTestAsync(Smtp2GoEventKind.Opened, Test.Token);

        Assert.Equal(new TestAnswer(401, "The answer."), first);
        var post = receiver.Posts.First();
        Assert.Equal("Mail test - please ignore", post.Field("subject"));
        Assert.Equal("2019-07-03T22:46:33Z", post.Field("time"));
        Assert.Equal("2015-08-04T22:39:34Z", post.Field("sendtime"));
        Assert.Equal("Headers Unavailable", post.Field("X-Campaign"));
        Assert.Equal("open", post.Field("event"));
        Assert.Single(receiver.Posts.Distinct());
        Assert.Empty(delivery.FailedNotifications);
    }

    /// <summary>The table in what is known of the wire format.</summary>
    [Theory]
    [InlineData(Smtp2GoEventKind.Processed, "processed", "recipients srchost", "rcpt host message context bounce")]
    [InlineData(Smtp2GoEventKind.Delivered, "delivered", "rcpt host message context", "recipients bounce")]
    [InlineData(Smtp2GoEventKind.HardBounced, "bounce", "rcpt bounce host message context", "recipients")]
    [InlineData(Smtp2GoEventKind.SoftBounced, "bounce", "rcpt bounce host message context", "recipients")]
    [InlineData(
        Smtp2GoEventKind.Opened, "open", "rcpt opened-at user-agent read-secs client client-os geoip-country srchost context message",
        "recipients")]
    [InlineData(
        Smtp2GoEventKind.Clicked, "click", "rcpt clicked-at url user-agent client-device geoip-city srchost", "recipients read-secs")]
    [InlineData(Smtp2GoEventKind.Spam, "spam", "rcpt context message", "host")]
    [InlineData(Smtp2GoEventKind.Unsubscribed, "unsubscribe", "rcpt context message", "host")]
    [InlineData(Smtp2GoEventKind.Resubscribed, "resubscribe", "rcpt context message", "host")]
    [InlineData(Smtp2GoEventKind.Rejected, "reject", "rcpt context message srchost", "host bounce")]
    public async Task A_body_has_the_fields_of_its_event(Smtp2GoEventKind kind, string name, string has, string hasNot)
    {
        const string Always = "id email_id time sendtime sender from from_address from_name auth subject Subject message-id Message-Id";
        await using var receiver = await WebhookReceiver.StartAsync();

        await PressAsync(new Smtp2GoWebhook(receiver.Url()), kind);
        await PressAsync(new Smtp2GoWebhook(receiver.Url()) { OutputFormat = "json" }, kind);

        var form = QueryHelpers.ParseQuery(receiver.Posts.First().Body);
        var json = JsonNode.Parse(receiver.Posts.Last().Body)!.AsObject();
        var names = receiver.Posts.First().Body.Split('&').Select(field => Uri.UnescapeDataString(field.Split('=')[0])).ToHashSet();
        Assert.Equal("application/x-www-form-urlencoded", receiver.Posts.First().ContentType);
        Assert.StartsWith("application/json", receiver.Posts.Last().ContentType, StringComparison.Ordinal);
        Assert.Equal(name, form["event"]);
        Assert.Equal(name, (string?)json["event"]);
        Assert.Superset($"{Always} {has}".Split(' ').ToHashSet(), names);
        Assert.DoesNotContain(hasNot.Split(' '), names.Contains);
        Assert.Equal(names, json.Select(field => field.Key).ToHashSet());
        Assert.All(json, field => Assert.Equal(field.Key == "recipients", field.Value is JsonArray));
    }

    [Fact]
    public async Task An_email_that_was_not_accepted_has_no_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var account = new Smtp2GoAccount(Day);
        account.Add(Traffic.Day(9, 2000, Day).First(it => !it.Email.HasId));
        using var delivery = Delivery(account, receiver);

        await delivery.AdvanceAsync(Day.AddDays(2), Test.Token);

        var form = QueryHelpers.ParseQuery(Assert.Single(receiver.Posts).Body);
        Assert.Equal("Unavailable", form["email_id"]);
        Assert.Equal("reject", form["event"]);
        Assert.False(form.ContainsKey("id"));
    }

    private static WebhookDelivery Delivery(Smtp2GoAccount account, WebhookReceiver receiver) =>
        new(account, account.AddWebhook(new Smtp2GoWebhook(receiver.Url())));

    private static async Task PressAsync(Smtp2GoWebhook webhook, Smtp2GoEventKind kind = Smtp2GoEventKind.Delivered)
    {
        var account = new Smtp2GoAccount(Day);
        using var delivery = new WebhookDelivery(account, account.AddWebhook(webhook));
        await delivery.PressTestAsync(kind, Test.Token);
    }
}
