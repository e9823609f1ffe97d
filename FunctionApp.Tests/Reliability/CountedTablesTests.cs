using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>
/// Whatever happens to events, in any order, and wherever the process dies in between: after the night's count the counted tables agree
/// with the rows, once a deletion that was cut short has been run again.
/// </summary>
public sealed class CountedTablesTests(AzuriteFixture azurite)
{
    private const int Steps = 9;
    private const int Crashes = 4;

    // More writes than a step usually makes: some crashes come late, or in a later step.
    private const int MostWrites = 30;

    private static readonly string[] Addresses = ["ada@x.example", "Ada@X.example", "bob@y.example", "+6421555012"];
    private static readonly int[] Ages = [0, 1, 3, 8, 40, 60, 400];

    private readonly List<Func<IngestApp, Task>> cutShort = [];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task After_the_night_the_counts_equal_the_rows(int seed)
    {
        var random = new Random(seed);
        var account = azurite.NewAccount();
        var stored = new List<string>();
        var before = new CrashPoint(int.MaxValue);
        for (var crash = 0; crash < Crashes; crash++)
        {
            await CountLaterAsync(account, TimeSpan.FromHours(1));
            var point = new CrashPoint(random.Next(1, MostWrites));
            await using (var dying = await StartAsync(account, point))
            {
                for (var step = 0; step < Steps && !point.HasCrashed; step++)
                {
                    var act = StepOf(random, stored);
                    var failure = await Record.ExceptionAsync(() => act(dying));
                    Assert.True(failure is null || point.HasCrashed, $"{failure}");
                }
            }

            // What a process was handling comes again only after the next one has ended.
            await before.ReleaseAsync(account);
            before = point;
        }

        await before.ReleaseAsync(account);
        await using (var app = await StartAsync(account, new CrashPoint(int.MaxValue)))
        {
            await app.DrainedAsync();

            // Until a deletion is run again, an event may be gone from one table and not from the others.
            foreach (var delete in cutShort)
            {
                await delete(app);
            }
        }

        // After the night that counts today once more, whatever time of day it is now.
        await CountLaterAsync(account, DateTime.UtcNow.Date.AddDays(2).AddHours(5) - DateTime.UtcNow);

        Assert.DoesNotContain(await IndexTests.RowsAsync(account, DaysTable.TableName), row => row.PartitionKey == DaysTable.Touched);
        await CountedDays.AssertAgreeAsync(account);
        await RecipientsAgree.AssertAsync(account);
    }

    // By then nothing is under way any more that a mark covers, so the count takes it away.
    private static async Task CountLaterAsync(string account, TimeSpan later)
    {
        await using var app = await IngestApp.StartAsync(
            account,
            configure: services =>
            {
                StorageWire.Shifted(account, () => later)(services);
                services.AddSingleton<TimeProvider>(new FakeTimeProvider(DateTimeOffset.UtcNow + later));
            },
            pump: false);
        await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
    }

    private Func<IngestApp, Task> StepOf(Random random, List<string> stored)
    {
        switch (random.Next(10))
        {
            case 0 or 1 or 2:
                var bodies = Enumerable.Range(0, random.Next(1, 6)).Select(_ => BodyOf(random)).ToList();
                stored.AddRange(bodies);
                return app => PostAsync(app, bodies);
            case 3:
                var again = stored.Where(_ => random.Next(3) == 0).ToList();
                return app => PostAsync(app, again);
            case 4:
                var poison = BodyOf(random);
                return app => app.Services.GetRequiredService<DeadLetters>().KeepAsync(
                    new ReceivedWebhook($"{random.Next():x}", DateTimeOffset.UtcNow, "text/plain", poison, null),
                    DeadLetterReason.Poison,
                    "why",
                    Test.Token);
            case 5:
                return ReplayAsync;
            case 6:
                var address = Addresses[random.Next(Addresses.Length)];
                return Deletion(app => app.Services.GetRequiredService<Forgetting>().ForgetAsync(address, dryRun: false, null, Test.Token));
            case 7:
                var before = DateTimeOffset.UtcNow.AddDays(-Ages[random.Next(3, Ages.Length)]);
                return Deletion(app => app.Services.GetRequiredService<Retention>().PurgeAsync(before, dryRun: false, null, Test.Token));
            case 8:
                return app => random.Next(2) == 0
                    ? app.Services.GetRequiredService<Rebuild>().ReindexAsync(null, Test.Token)
                    : app.Services.GetRequiredService<Rebuild>().ReparseAsync(null, Test.Token);
            default:
                return app => app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
        }
    }

    private Func<IngestApp, Task> Deletion(Func<IngestApp, Task> delete) => async app =>
    {
        cutShort.Add(delete);
        await delete(app);
        cutShort.Remove(delete);
    };

    private static string BodyOf(Random random)
    {
        var (address, age) = (Uri.EscapeDataString(Addresses[random.Next(Addresses.Length)]), Ages[random.Next(Ages.Length)]);
        var time = DateTimeOffset.UtcNow.AddDays(-age).AddMinutes(-random.Next(1, 600));
        var at = time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var head = $"id={random.Next():x8}&email_id={EximId.Of(time.AddSeconds(-random.Next(100)))}&from=shop@shop.example&time={at}";
        return random.Next(12) switch
        {
            0 => $"event=processed&{head}&recipients={address},{Uri.EscapeDataString(Addresses[random.Next(Addresses.Length)])}",
            1 or 2 => $"event=delivered&{head}&rcpt={address}&message=250+OK",
            3 => $"event=open&{head}&rcpt={address}&user-agent=GoogleImageProxy",
            4 or 5 => $"event=bounce&bounce=soft&{head}&rcpt={address}&message=452+4.2.2+mailbox+full",
            6 => $"event=bounce&bounce=hard&{head}&rcpt={address}&message=550+5.1.1+no+such+user",
            7 => $"event=spam&{head}&rcpt={address}",
            8 => $"event=unsubscribe&{head}&rcpt={address}",
            9 => $"event=resubscribe&{head}&rcpt={address}",
            10 => $"event=reject&{head}&rcpt={address}&message=The+recipient+is+on+the+suppression+list",
            _ => $"event=bounce&bounce=hard&{head}&rcpt={address}&subject=Mail+test+-+please+ignore&sendtime=2015-08-04T22:39:34Z",
        };
    }

    private static async Task PostAsync(IngestApp app, IEnumerable<string> bodies)
    {
        foreach (var body in bodies)
        {
            // Not acknowledged after a crash: then it was never promised.
            using var answer = await app.PostAsync(body);
        }
    }

    private static async Task ReplayAsync(IngestApp app)
    {
        var queue = app.Services.GetRequiredService<WebhookQueue>();
        foreach (var row in await app.DeadLettersAsync())
        {
            await app.Services.GetRequiredService<DeadLetters>().ReplayAsync(row, queue, Test.Token);
        }
    }

    // Storage's clock is a minute fast, so that forgetting may delete what was just written.
    private static Task<IngestApp> StartAsync(string account, CrashPoint point) => IngestApp.StartAsync(account, configure: services =>
    {
        StorageWire.Between(account, StorageWire.Later(TimeSpan.FromMinutes(1), point.MeetAsync))(services);
        IngestApp.UseLease(services, TimeSpan.FromMinutes(1));
    });
}
