using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Perf.Reconciling;

/// <summary>A week of mail whose webhooks are lost in every way, long enough ago for its last retry to be over.</summary>
internal sealed class LossyWeek : IDisposable
{
    /// <summary>After this, SMTP2GO sends nothing by itself any more.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromHours(100);

    // The nine are halved; the two that most events have are not among the rest.
    private static readonly string[] HalfOfTheEvents = ["processed", "click", "bounce", "spam"];

    // 100 hours after the first day of the outage.
    private static readonly TimeSpan FirstHours = TimeSpan.FromHours(4.5);

    private readonly WebhookDelivery delivery;
    private readonly Smtp2GoWebhook webhook;

    public LossyWeek(DateTimeOffset start, int emails, int seed, Uri webhookUrl)
    {
        Start = start;
        Account = new Smtp2GoAccount(start);
        Account.Add([.. Traffic.Week(seed, emails, start)]);
        webhook = Account.AddWebhook(new Smtp2GoWebhook(webhookUrl) { OutputFormat = seed % 2 == 0 ? "json" : "form" });
        delivery = new WebhookDelivery(Account, webhook, seed) { Concurrency = 64, LostAnswers = 0.02 };
        delivery.AddOutage(start.AddHours(6), start.AddHours(12));
        delivery.AddOutage(start.AddDays(1), start.AddDays(6));
    }

    public Smtp2GoAccount Account { get; }

    public DateTimeOffset Start { get; }

    public DateTimeOffset End => Start.AddDays(7);

    public int GivenUp => delivery.FailedNotifications.Count(it => it.IsGivenUp);

    /// <summary>Until some hours after the long outage. Then the first day of it is lost, and of the others retries still come.</summary>
    public async Task SendAsync(Func<Task> drain, CancellationToken cancellationToken)
    {
        await AdvanceAsync(Start.AddDays(6), drain, cancellationToken);
        Account.ChangeWebhook(webhook with { Events = HalfOfTheEvents });
        await AdvanceAsync(Start.AddDays(6) + FirstHours, drain, cancellationToken);
    }

    public async Task SendRestAsync(Func<Task> drain, CancellationToken cancellationToken)
    {
        await AdvanceAsync(End, drain, cancellationToken);
        Account.ChangeWebhook(webhook);
        await AdvanceAsync(End + Settled, drain, cancellationToken);
    }

    /// <summary>Makes the tries that are due until then.</summary>
    /// <param name="drain">After each hour: Azurite gets slow with a long queue.</param>
    public async Task AdvanceAsync(DateTimeOffset until, Func<Task> drain, CancellationToken cancellationToken)
    {
        while (Account.Now < until)
        {
            var next = Account.Now + TimeSpan.FromHours(1);
            await delivery.AdvanceAsync(next < until ? next : until, cancellationToken);
            await drain();
        }
    }

    /// <summary>Somebody presses Retry for some of those that SMTP2GO had given up.</summary>
    public async Task RetryByHandAsync(int skip, int count, CancellationToken cancellationToken)
    {
        foreach (var failed in delivery.FailedNotifications.Where(it => it.IsGivenUp).Skip(skip).Take(count).ToList())
        {
            await delivery.RetryAsync(failed, cancellationToken);
        }
    }

    public void Dispose() => delivery.Dispose();
}
