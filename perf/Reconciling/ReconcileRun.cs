using System.Diagnostics;
using System.Globalization;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Perf.Reconciling;

/// <summary>One run: send a week, audit, reconcile while retries still come, reconcile when they are over, and compare.</summary>
internal sealed class ReconcileRun(LossyWeek week, Smtp2GoServer smtp2Go, string connectionString, IServiceProvider services, Checks checks)
{
    private const string Key = "api-0123456789ABCDEF0123456789ABCDEF";
    private const double Speed = 60;

    // Of each hundred calls.
    private const double FaultyCalls = 0.02;

    private const int MostStarts = 20;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromMinutes(60);

    private readonly TableServiceClient tables = new(connectionString);
    private readonly QueueClient[] queues =
        [new(connectionString, WebhookQueue.Name), new(connectionString, WebhookQueue.PoisonName)];

    public static async Task<int> RunAsync(int emails, int seed, CancellationToken cancellationToken)
    {
        await using var azurite = await SplitAzurite.StartAsync(cancellationToken);
        await using var app = Subject.Build(azurite.ConnectionString, consume: true);
        await app.StartAsync(cancellationToken);
        var start = new DateTimeOffset(DateTime.UtcNow.Date.AddDays(-21), TimeSpan.Zero);
        using var week = new LossyWeek(start, emails, seed, Subject.WebhookUrl(new Uri(app.Urls.Single())));
        week.Account.Keys.Add(new ApiKey(Key, "/activity/search", "/webhook/view"));
        var waits = new ScaledTime(DateTimeOffset.UtcNow, Speed);
        await using var smtp2Go = await Smtp2GoServer.StartAsync(week.Account, waits, 0, cancellationToken);
        await using var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(new AccountTime(week.Account, waits))
            .AddSmtp2GoIngest(new ConfigurationBuilder()
                .AddInMemoryCollection([
                    new("EventStorage", azurite.ConnectionString), new("Smtp2Go:ApiKey", Key), new("Smtp2Go:ApiUrl", smtp2Go.Url),
                ])
                .Build())
            .BuildServiceProvider();
        var checks = new Checks();
        await new ReconcileRun(week, smtp2Go, azurite.ConnectionString, services, checks).RunAsync(seed, cancellationToken);
        await app.StopAsync(cancellationToken);
        checks.Print();
        return checks.Hold ? 0 : 1;
    }

    private async Task RunAsync(int seed, CancellationToken cancellationToken)
    {
        await Told("six days of the week are sent", () => week.SendAsync(() => DrainAsync(cancellationToken), cancellationToken));
        await AuditAsync(cancellationToken);

        // Most of it is too young: retries come while it is reconciled, and SMTP2GO's pages move.
        smtp2Go.Behaviour.ShiftPages = true;
        smtp2Go.Behaviour.TimePerPage = TimeSpan.FromMinutes(5);
        smtp2Go.Faults.Randomly(seed, FaultyCalls);
        var hasty = await ReconcileAsync("reconciled at once, with --now", now: true, cancellationToken, slice => week.AdvanceAsync(
            week.Account.Now + TimeSpan.FromMinutes(5), () => Task.CompletedTask, cancellationToken));
        smtp2Go.Behaviour.ShiftPages = false;
        await Told("the rest of the week is sent, and retries until SMTP2GO gives up", () =>
            week.SendRestAsync(() => DrainAsync(cancellationToken), cancellationToken));
        smtp2Go.Behaviour.ReorderPages = true;
        var settled = await ReconcileAsync("reconciled when the window is settled", now: false, cancellationToken);
        smtp2Go.Behaviour.ReorderPages = false;
        await week.RetryByHandAsync(0, Math.Max(10, week.GivenUp / 50), cancellationToken);
        await DrainAsync(cancellationToken);
        var healed = await ReconcileAsync("reconciled after somebody pressed Retry", now: false, cancellationToken);
        var before = await StoredEvents.ReadAsync(tables, cancellationToken);
        var again = await ReconcileAsync("reconciled once more", now: false, cancellationToken);
        var after = await StoredEvents.ReadAsync(tables, cancellationToken);

        checks.Note("filled in and removed, run by run", string.Join(", ", new[] { hasty, settled, healed, again }.Select(books =>
            Text($"{books.FilledIn:N0} and {books.Removed:N0}"))));
        checks.Add("late webhooks replaced filled-in rows", hasty.FilledIn > 0 && settled.Removed > 0 && healed.Removed > 0);
        checks.Add("the last run changed nothing", again is { FilledIn: 0, Removed: 0, Superseded: 0, Total: { Missing: 0, Surplus: 0 } }
            && before.Versions.SetEquals(after.Versions));
        var copies = after.Copies;
        var wrong = StoredCopy.Compare(week.Account.Events, copies).ToList();
        var comparable = week.Account.Events.Count(it => it.Email.HasId);
        var filledIn = copies.Count(copy => copy.IsFilledIn);
        checks.Add(Text($"{comparable:N0} events: each stored once, {filledIn:N0} of them filled in"), wrong.Count == 0);
        wrong.CountBy(problem => problem).ToList().ForEach(problem => checks.Note(problem.Key, Text($"{problem.Value:N0} groups")));
        checks.Add("the books count every event of SMTP2GO's", again.Total.InSmtp2Go == comparable && again.Total.Matched == comparable);
        var most = ApiCall.MostInAMinute(smtp2Go.Calls);
        checks.Add(Text($"{smtp2Go.Calls.Count:N0} calls, at most {most} in a minute"), most <= 60);
        checks.Add("the key came only as a header", smtp2Go.Calls.All(call => call.Key == KeyPlaces.Header));
    }

    /// <summary>Before anything is filled in, of the days whose retries are over.</summary>
    private async Task AuditAsync(CancellationToken cancellationToken)
    {
        var audit = services.GetRequiredService<ActivityAudit>();
        for (var day = week.Start; day.AddDays(1) + LossyWeek.Settled <= week.Account.Now; day = day.AddDays(1))
        {
            var found = await audit.AuditAsync(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), cancellationToken);
            var missing = week.Account.Between(day, day.AddDays(1)).ToArray().Count(it => !it.WasDelivered);
            checks.Add(Text($"audit of day {(day - week.Start).Days + 1}: {found.Missing:N0} missing, in truth {missing:N0}"),
                Math.Abs(found.Missing - missing) <= 1);
        }
    }

    private async Task<ReconcileBooks> ReconcileAsync(
        string what, bool now, CancellationToken cancellationToken, Func<ReconciledSlice, Task>? afterEach = null)
    {
        var books = ReconcileBooks.None;
        await Told(what, async () =>
        {
            var window = ReconcileWindow.Of(week.Start, week.End, now, services.GetRequiredService<TimeProvider>());
            for (var starts = 1; ; starts++)
            {
                try
                {
                    books = ReconcileBooks.None;
                    await foreach (var slice in services.GetRequiredService<Reconciler>().ReconcileAsync(window, true, cancellationToken))
                    {
                        books = books.Plus(slice.Books);
                        await (afterEach?.Invoke(slice) ?? Task.CompletedTask);
                    }

                    break;
                }
                catch (Smtp2GoException) when (starts < MostStarts)
                {
                    // An answer that cannot be read, for example: somebody starts it again.
                }
            }

            await DrainAsync(cancellationToken);
        });
        checks.Add($"{what}: every hour was read", books.Unread.Count == 0);
        return books;
    }

    private Task DrainAsync(CancellationToken cancellationToken) => QueueDrain.WaitAsync(queues, DrainTimeout, cancellationToken);

    private static async Task Told(string what, Func<Task> run)
    {
        var watch = Stopwatch.StartNew();
        await run();
        Console.WriteLine(Text($"{watch.Elapsed.TotalSeconds,6:0} s  {what}"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
