using System.Diagnostics;
using System.Globalization;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Perf.Days;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;
using Smtp2GoIngest.Tool.Studio.Serving;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Studio;

/// <summary>One run: fill, count, look.</summary>
internal static class StudioRun
{
    private const int Days = 30;
    private const int Rounds = 15;
    private const string EmailId = "1wQ7Zk-FnQW0hPru7M-NRRC";

    private static readonly string[] EmailEvents = ["processed", "delivered", "open", "click"];

    // A page that waits longer for storage has failed.
    private const float Patience = 60_000;

    // Each page, and what shows that its first figures or rows are there.
    private static readonly (string Name, string Url, string Shown)[] Pages =
    [
        ("empty page", "not-found", "h1"),
        ("overview, 30 days", StudioLinks.OverviewOf(Period.Of("30d")), "[data-figure=delivered] .value"),
        ("overview, 13 months", StudioLinks.OverviewOf(Period.Of("13m")), "[data-figure=delivered] .value"),
        ("activity", StudioLinks.Activity(), "[data-row=event]"),
        ("activity, spam only", StudioLinks.Activity("spam"), "[data-row=event]"),
        ("an email", StudioLinks.Email(EmailId), "[data-verdict]"),
        ("bounces, 30 days", StudioLinks.Bounces(Period.Of("30d")), "table.rows"),
        ("providers, 30 days", StudioLinks.Providers(Period.Of("30d")), "table"),
    ];

    public static async Task<int> RunAsync(int events, CancellationToken cancellationToken)
    {
        await AzuriteInstallation.InstallAsync(cancellationToken);

        // On disk it would stop answering at this size.
        await using var azurite = await Azurite.StartAsync(dataFolder: null, [], cancellationToken);
        await FillAsync(azurite.ConnectionString, events, cancellationToken);
        using var requests = new RequestCount();
        await using var server = await StudioServer.StartAsync(
            StudioStorage.Of(new StorageOptions { ConnectionString = azurite.ConnectionString }),
            TimeText.Utc,
            TimeProvider.System,
            port: 0,
            cancellationToken);
        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", Repository.PlaywrightPackage);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = InstalledBrowser.Find() ?? throw new InvalidOperationException(InstalledBrowser.Missing),
            Args = ["--no-sandbox"],
        });
        var page = await browser.NewPageAsync();
        await page.GotoAsync(server.NewLink(StudioLinks.Overview).AbsoluteUri);
        var start = await page.EvaluateAsync<string>("document.baseURI");

        var taken = Pages.ToDictionary(it => it.Name, _ => new List<double>());
        var asked = new Dictionary<string, long>();
        List<long> heaps = [];
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var (name, url, shown) in Pages)
            {
                var (before, watch) = (requests.Count, Stopwatch.StartNew());
                await page.GotoAsync(start + url);
                await page.WaitForSelectorAsync(shown, new() { Timeout = Patience });
                if (round > 0)
                {
                    // The first round is for compiling everything.
                    taken[name].Add(watch.Elapsed.TotalMilliseconds);
                }

                await page.WaitForTimeoutAsync(200);
                asked[name] = requests.Count - before;
            }

            heaps.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        var table = new Table().AddColumns("Page", "Median", "Slowest", "To an empty page", "Requests to storage");
        foreach (var (name, times) in taken)
        {
            times.Sort();
            table.AddRow(
                name,
                Text($"{Median(times):N0} ms"),
                Text($"{times[^1]:N0} ms"),
                Text($"{Median(times) / Median(taken[Pages[0].Name]):0.0} : 1"),
                Text($"{asked[name]}"));
        }

        AnsiConsole.Write(table);
        // What the pages held is freed some time after they are left.
        await page.GotoAsync("about:blank");
        await Task.Delay(TimeSpan.FromSeconds(75), cancellationToken);
        var left = GC.GetTotalMemory(forceFullCollection: true);
        AnsiConsole.WriteLine(Text($"Heap after the first round {heaps[0] >> 20} MiB, after the last {heaps[^1] >> 20} MiB, ")
            + Text($"a minute after the browser has left {left >> 20} MiB."));
        return 0;
    }

    private static async Task FillAsync(string connectionString, int events, CancellationToken cancellationToken)
    {
        var tables = new TableServiceClient(connectionString);
        await using var services = new ServiceCollection()
            .AddSmtp2GoIngest(new ConfigurationBuilder().AddInMemoryCollection([new("EventStorage", connectionString)]).Build())
            .BuildServiceProvider();
        var counting = new DayCounter(tables, services.GetRequiredService<StorageClock>(), TimeProvider.System);
        var now = DateTimeOffset.UtcNow;
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        await tables.GetTableClient(EventIndex.ByDayTable).CreateIfNotExistsAsync(cancellationToken);
        for (var day = today.AddDays(1 - Days); day <= today; day = day.AddDays(1))
        {
            var length = day == today ? now.TimeOfDay : TimeSpan.FromDays(1);
            var count = (int)(events / Days * (length / TimeSpan.FromDays(1)));
            await DayOfMail.FillAsync(tables.GetTableClient(EventIndex.ByDayTable), day, length, count, cancellationToken);
            await counting.CountAsync($"{day:yyyy-MM-dd}", cancellationToken);
        }

        var email = tables.GetTableClient(EventStore.TableName);
        await email.CreateIfNotExistsAsync(cancellationToken);
        foreach (var (i, name) in EmailEvents.Index())
        {
            var body = $"event={name}&id={i}&email_id={EmailId}&rcpt=ada@example.org&subject=Your+order&sender=shop@example.com"
                + $"&time={now.AddMinutes(i - 60):yyyy-MM-dd'T'HH:mm:ss'Z'}";
            var webhook = new ReceivedWebhook($"w{i}", now, "application/x-www-form-urlencoded", body, null);
            _ = EmailEvent.TryParse(BinaryData.FromString(body), out var e, out _);
            await email.AddEntityAsync(EventColumns.ToRow(e!, webhook), cancellationToken);
        }
    }

    private static double Median(List<double> sorted) => sorted[sorted.Count / 2];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
