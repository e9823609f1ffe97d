using System.Collections.Concurrent;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What the Test button shows.</summary>
/// <param name="Status">0 if no answer came.</param>
public sealed record TestAnswer(int Status, string Body);

/// <summary>
/// Sends an account's events to one of its webhooks, and sends again what failed, in virtual time. An event counts its own tries, whoever
/// makes them: an account has one delivery.
/// </summary>
/// <param name="webhook">As the account returned it. What is changed in the account holds from the next try on.</param>
/// <param name="seed">For <see cref="LostAnswers"/>, and for how long SMTP2GO takes.</param>
public sealed class WebhookDelivery(Smtp2GoAccount account, Smtp2GoWebhook webhook, int seed = 0) : IDisposable
{
    /// <summary>How long the first try of an event may take to come. So events do not come in the order in which they happened.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly WebhookSender sender = new();
    private readonly SemaphoreSlim advancing = new(1);
    private readonly PriorityQueue<PendingTry, DateTimeOffset> queue = new();
    private readonly ConcurrentDictionary<Smtp2GoEvent, FailedNotification> failed = new();
    private readonly ConcurrentDictionary<int, int> answers = new();
    private readonly ConcurrentQueue<(DateTimeOffset From, DateTimeOffset Until)> outages = new();
    private int seen;

    /// <summary>How many posts are under way at once.</summary>
    public int Concurrency { get; init; } = 32;

    /// <summary>The share of answers that SMTP2GO does not get, so that it sends again what the app has.</summary>
    public double LostAnswers { get; set; }

    /// <summary>How many posts got which status; 0 stands for no answer. Tries in an outage made no post.</summary>
    public IReadOnlyDictionary<int, int> Answers => answers;

    /// <summary>What failed at least once and has not got through since, unless it was cancelled.</summary>
    public IReadOnlyList<FailedNotification> FailedNotifications =>
        [.. failed.Values.Where(it => it is { IsCancelled: false, Event.IsAcknowledged: false }).OrderBy(it => it.Event.Date)];

    /// <summary>Between these times each try fails, without a connection.</summary>
    public void AddOutage(DateTimeOffset from, DateTimeOffset until) => outages.Enqueue((from, until));

    /// <summary>Makes every try that is due by then, and moves the account's clock. Stopped halfway, it can be called again.</summary>
    public async Task AdvanceAsync(DateTimeOffset until, CancellationToken cancellationToken)
    {
        await advancing.WaitAsync(cancellationToken);
        try
        {
            TakeInNewEvents();
            while (queue.TryPeek(out _, out var first) && first <= until)
            {
                var end = first + RetrySchedule.Step;
                await RunAsync(end < until ? end : until, cancellationToken);
                TakeInNewEvents();
            }

            account.MoveTo(until);
        }
        finally
        {
            advancing.Release();
        }
    }

    /// <summary>The button of Failed Notifications: one more try, now.</summary>
    /// <returns>True if it got through.</returns>
    public async Task<bool> RetryAsync(FailedNotification notification, CancellationToken cancellationToken)
    {
        await TryAsync(notification.Event, account.Now, notification.Tries.Count, cancellationToken);
        return notification.Event.IsAcknowledged;
    }

    /// <summary>The other button: no more tries by themselves.</summary>
    public void Cancel(FailedNotification notification) => failed[notification.Event].IsCancelled = true;

    /// <summary>The Test button, which filters nothing. What fails here is in no list.</summary>
    public async Task<TestAnswer> PressTestAsync(Smtp2GoEventKind kind, CancellationToken cancellationToken)
    {
        if (IsAway(account.Now))
        {
            return new TestAnswer(0, string.Empty);
        }

        var current = Current();
        var body = WebhookBody.OfTest(TestButton.EventOf(kind), current.Headers);
        var posted = await sender.PostAsync(current, body, wantsAnswer: true, cancellationToken);
        return new TestAnswer(posted.Status, posted.Body);
    }

    public void Dispose()
    {
        sender.Dispose();
        advancing.Dispose();
    }

    private void TakeInNewEvents()
    {
        var added = account.AddedAfter(seen);
        seen += added.Count;
        foreach (var it in added)
        {
            var first = it.Date + (LongestDelay * StableHash.Share(it.Id, seed));
            queue.Enqueue(new PendingTry(it, first), first);
        }
    }

    private async Task RunAsync(DateTimeOffset until, CancellationToken cancellationToken)
    {
        List<PendingTry> due = [];
        while (queue.TryPeek(out _, out var time) && time <= until)
        {
            due.Add(queue.Dequeue());
        }

        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(due, options, async (pending, token) =>
            {
                account.MoveTo(pending.Due);
                if (IsWanted(pending))
                {
                    await TryAsync(pending.Event, pending.Due, pending.Number, token);
                }

                pending.Number++;
            });
        }
        finally
        {
            foreach (var pending in due.Where(it => !IsDone(it)))
            {
                queue.Enqueue(pending, pending.Due);
            }
        }
    }

    private bool IsDone(PendingTry pending)
    {
        if (pending.Event.IsAcknowledged || (pending.Number > 0 && !failed.ContainsKey(pending.Event)))
        {
            return true;
        }

        if (pending.Number < RetrySchedule.Tries.Count)
        {
            return false;
        }

        failed[pending.Event].IsGivenUp = true;
        return true;
    }

    // The filter holds when the event happens. What was cancelled, or got through by hand, is not tried again.
    private bool IsWanted(PendingTry pending) => pending.Number == 0
        ? Current().Wants(pending.Event)
        : !pending.Event.IsAcknowledged && !failed[pending.Event].IsCancelled;

    private async Task TryAsync(Smtp2GoEvent it, DateTimeOffset time, int number, CancellationToken cancellationToken)
    {
        var posted = default(Posted);
        if (!IsAway(time))
        {
            var current = Current();
            posted = await sender.PostAsync(current, WebhookBody.Of(it, current.Headers), wantsAnswer: false, cancellationToken);
            answers.AddOrUpdate(posted.Status, 1, static (_, count) => count + 1);
        }

        var isLost = posted.IsSuccess && StableHash.Share(it.Id, unchecked((seed * 397) + number + 1)) < LostAnswers;
        it.Count(posted.IsSuccess, posted.MayHaveArrived, posted.IsSuccess && !isLost);
        if (!it.IsAcknowledged)
        {
            failed.GetOrAdd(it, static it => new FailedNotification(it)).Add(new WebhookTry(time, isLost ? 0 : posted.Status));
        }
    }

    private Smtp2GoWebhook Current() => account.Webhooks.First(it => it.Id == webhook.Id);

    private bool IsAway(DateTimeOffset time) => outages.Any(outage => outage.From <= time && time < outage.Until);

    /// <summary>An event that is still to be sent.</summary>
    private sealed class PendingTry(Smtp2GoEvent it, DateTimeOffset first)
    {
        public Smtp2GoEvent Event => it;

        /// <summary>How many tries were made.</summary>
        public int Number { get; set; }

        public DateTimeOffset Due => first + RetrySchedule.Tries[Number];
    }
}
