using System.Globalization;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>The README's pictures of Studio: the demo's emails, after a month of a shop's mail. CONTRIBUTING.md has the command.</summary>
[Collection(InBrowser.Name)]
public sealed class PictureTests(StudioBrowser browser, AzuriteFixture azurite)
{
    private const int Days = 30;
    private const int EmailsPerDay = 40;
    private const int MaxParallel = 32;

    // Always the same, so that a picture changes only with the page.
    private static readonly DateTimeOffset Now = new(2026, 5, 28, 16, 20, 31, TimeSpan.Zero);

    [Fact(Explicit = true)]
    public async Task Draw()
    {
        var account = azurite.NewAccount();
        await StoreAsync(account);
        await using var site = await StudioSite.StartAsync(account, new FakeTimeProvider(Now));
        await using var page = await browser.LetInAsync(site);

        await DrawAsync(page, StudioLinks.OverviewOf(Period.Of("30d")), "studio-overview", height: 900);
        await DrawAsync(page, StudioLinks.Email(DemoEvents.Newsletter), "studio-email", height: 1_000);
        await DrawAsync(page, StudioLinks.Activity(), "studio-activity", height: 760);
    }

    private static async Task DrawAsync(StudioPage page, string url, string name, int height)
    {
        var file = Path.Combine(Repository.Root, "docs", $"{name}.png");
        await page.Tab.SetViewportSizeAsync(1280, height);
        await page.GoAsync(url);
        await page.Tab.ScreenshotAsync(new() { Path = file });

        // A picture of an error would be small, and one for a poster large.
        Assert.InRange(new FileInfo(file).Length, 20_000, 400_000);
    }

    private static async Task StoreAsync(string account)
    {
        await using var app = await IngestApp.StartAsync(account);
        var demo = new DemoEvents(Now - TimeSpan.FromMinutes(9));
        var bodies = Enumerable.Range(1, Days).SelectMany(ago => DayOf(Now.Date.AddDays(1 - ago), ago))
            .Where(it => it.At < Now - TimeSpan.FromMinutes(10))
            .Select(it => it.Webhook.ToForm())
            .Concat(demo.Forms().Concat(demo.Documents()).Select(it => it.ToForm()));
        await Parallel.ForEachAsync(
            bodies,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = Test.Token },
            async (body, _) => await app.AcknowledgedAsync(body));

        // Thousands, which takes minutes on a slow machine.
        while (await app.WaitingAsync() > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), Test.Token);
        }

        await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
        Assert.NotEmpty(await new TableClient(account, DaysTable.TableName).QueryAsync<TableEntity>().ToListAsync(Test.Token));
    }

    // More in the working week and by day. The same day gives the same emails.
    private static IEnumerable<(DateTimeOffset At, SampleWebhook Webhook)> DayOf(DateTime day, int seed)
    {
        var chance = new Random(seed);
        var count = day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? EmailsPerDay / 3 : EmailsPerDay + chance.Next(-8, 8);
        for (var i = 0; i < count; i++)
        {
            var at = new DateTimeOffset(day, TimeSpan.Zero).AddSeconds((chance.Next(86_400) + chance.Next(86_400)) / 2);
            foreach (var (seconds, webhook) in EmailAt(at, $"{day:yyyyMMdd}{i}", chance))
            {
                yield return (at.AddSeconds(seconds), webhook);
            }
        }
    }

    private static IEnumerable<(int Seconds, SampleWebhook Webhook)> EmailAt(DateTimeOffset at, string id, Random chance)
    {
        string[] people = ["ada", "bob", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "june", "kai", "lena"];
        string[] domains = ["gmail.com", "gmail.com", "gmail.com", "outlook.com", "outlook.com", "yahoo.com", "icloud.com", "example.org"];
        (string From, string Subject)[] mails =
        [
            ("shop@example.com", $"Your order {chance.Next(1_000, 9_000)}"), ("shop@example.com", "Your parcel is on its way"),
            ("billing@example.com", $"Invoice 2026-{chance.Next(100, 900)}"), ("news@example.com", "What is new this month"),
            ("support@example.com", "Reset your password"),
        ];
        var rcpt = $"{people[chance.Next(people.Length)]}{chance.Next(1, 90)}@{domains[chance.Next(domains.Length)]}";
        var mail = mails[chance.Next(mails.Length)];
        const string Browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        const string Machine = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        var fate = chance.Next(1_000);
        yield return Event("processed", 0, ("recipients", rcpt));
        if (fate < 12)
        {
            yield return Event("bounce", 3, ("bounce", "hard"), ("message", "550 5.1.1 User unknown"), ("rcpt", rcpt));
        }
        else if (fate < 30)
        {
            yield return Event("bounce", 40, ("bounce", "soft"), ("message", "452 4.2.2 Mailbox full"), ("rcpt", rcpt));
        }
        else if (fate < 36)
        {
            yield return Event("reject", 1, ("message", "Recipient is on the suppression list"), ("rcpt", rcpt));
        }
        else
        {
            var delivered = 1 + (int)Math.Pow(chance.NextDouble() * 9, 2);
            yield return Event("delivered", delivered, ("message", "250 2.0.0 OK"), ("rcpt", rcpt));
            if (fate < 600)
            {
                yield return Event(
                    "open", delivered + chance.Next(2, 7_200), ("user-agent", fate % 3 == 0 ? Machine : Browser), ("rcpt", rcpt));
            }

            if (fate is > 40 and < 180)
            {
                yield return Event(
                    "click", delivered + chance.Next(7_200, 9_000), ("url", "https://shop.example.com/"), ("user-agent", Browser),
                    ("rcpt", rcpt));
            }

            if (fate is 500 or 501)
            {
                yield return Event(fate == 500 ? "spam" : "unsubscribe", 9_000, ("rcpt", rcpt));
            }
        }

        (int Seconds, SampleWebhook Webhook) Event(string name, int seconds, params (string Name, string Value)[] own) => (
            seconds,
            new SampleWebhook(
            [
                new("event", name), new("id", $"{id}{name}"), new("email_id", EximId.Of(at)), new("subject", mail.Subject),
                new("from", mail.From), new("from_address", mail.From), new("sender", mail.From),
                new("time", at.AddSeconds(seconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
                .. own.Select(field => KeyValuePair.Create(field.Name, (object)field.Value)),
            ]));
    }
}
