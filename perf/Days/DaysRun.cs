using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Days;

/// <summary>One run: fill, count, ask.</summary>
internal static class DaysRun
{
    private const int Days = 30;

    // A tenth of a day, to see whether memory grows with the day.
    private const int Part = 10;

    public static async Task<int> RunAsync(int events, CancellationToken cancellationToken)
    {
        await AzuriteInstallation.InstallAsync(cancellationToken);

        // On disk it would stop answering at this size.
        await using var azurite = await Azurite.StartAsync(dataFolder: null, [], cancellationToken);
        var tables = new TableServiceClient(azurite.ConnectionString);
        await using var services = new ServiceCollection()
            .AddSmtp2GoIngest(new ConfigurationBuilder()
                .AddInMemoryCollection([new("EventStorage", azurite.ConnectionString)])
                .Build())
            .BuildServiceProvider();
        var counting = new DayCounter(tables, services.GetRequiredService<StorageClock>(), TimeProvider.System);
        using var requests = new RequestCount();
        var now = DateTimeOffset.UtcNow;
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var perDay = events / Days;
        await tables.GetTableClient(EventIndex.ByDayTable).CreateIfNotExistsAsync(cancellationToken);

        // Once unmeasured, so that everything is compiled.
        await MeasureAsync(today.AddDays(-Days - 1), TimeSpan.FromDays(1), perDay / Part);
        Print("a tenth of a day", await MeasureAsync(today.AddDays(-Days), TimeSpan.FromDays(1), perDay / Part));
        for (var day = today.AddDays(1 - Days); day <= today; day = day.AddDays(1))
        {
            var length = day == today ? now.TimeOfDay : TimeSpan.FromDays(1);
            var measured = await MeasureAsync(day, length, (int)(perDay * (length / TimeSpan.FromDays(1))));
            if (day == today.AddDays(1 - Days) || day >= today.AddDays(-1))
            {
                Print(day == today ? "today, up to the last full hour" : $"day {day.DayNumber - today.DayNumber}", measured);
            }
        }

        var counted = await AskAsync(azurite.ConnectionString, requests, cancellationToken);
        Console.WriteLine(Text($"summary --days 30: {counted.Seconds:0.00} s, {counted.Requests} requests"));
        var live = await AskAsync(azurite.ConnectionString, requests, cancellationToken, "--live");
        var isSame = Comparable(counted.Output) == Comparable(live.Output);
        Console.WriteLine(
            Text($"the same with --live: {live.Seconds:0.0} s; ratio 1 : {live.Seconds / counted.Seconds:0}, the same answer: {isSame}"));
        return isSame && counted.Requests <= 12 ? 0 : 1;

        async Task<Counted> MeasureAsync(DateOnly day, TimeSpan length, int count)
        {
            await DayOfMail.FillAsync(tables.GetTableClient(EventIndex.ByDayTable), day, length, count, cancellationToken);
            GC.Collect();
            using var heap = new HeapPeak();
            var (before, watch) = (requests.Count, Stopwatch.StartNew());
            var found = await counting.CountAsync($"{day:yyyy-MM-dd}", cancellationToken);
            return new Counted(found.Events, requests.Count - before, watch.Elapsed, heap.Peak);
        }
    }

    // Of the sender's domains, only the largest of each day are counted.
    private static string Comparable(string output) => string.Join('\n', output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line =>
        {
            var json = JsonNode.Parse(line)!.AsObject();
            json.Remove("senderDomains");
            return json.ToJsonString();
        }));

    // The tool as a process of its own; and once more in this one, where its requests can be counted.
    private static async Task<Answer> AskAsync(
        string connectionString, RequestCount requests, CancellationToken cancellationToken, params string[] more)
    {
        string[] arguments = ["summary", "--days", "30", "--json", .. more];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "smtp2go-ingest"), arguments)
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["EventStorage"] = connectionString;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        var seconds = watch.Elapsed.TotalSeconds;

        var before = requests.Count;
        using var ignored = new StringWriter();
        var context = new CommandContext(ignored, ignored, Path.GetTempPath()) { IsInteractive = false };
        var exitCode = more.Length > 0 ? 0
            : await Tool.Program.RunAsync([.. arguments, "--connection", connectionString], context, cancellationToken);
        return process.ExitCode == 0 && exitCode == 0
            ? new Answer(output, seconds, requests.Count - before)
            : throw new InvalidOperationException($"The tool ended with {process.ExitCode}.");
    }

    private static void Print(string what, Counted counted) => Console.WriteLine(
        Text($"count {what}: {counted.Events:N0} events, {counted.Requests} requests, {counted.Took.TotalSeconds:0.00} s, ")
        + Text($"heap up to {counted.Heap >> 20} MiB"));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Counted(long Events, long Requests, TimeSpan Took, long Heap);

    private sealed record Answer(string Output, double Seconds, long Requests);

    /// <summary>The largest managed heap while it lives, looked at every 20 ms.</summary>
    private sealed class HeapPeak : IDisposable
    {
        private readonly Timer timer;
        private long peak;

        public HeapPeak() => timer = new Timer(_ => peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false)), null, 0, 20);

        public long Peak => Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));

        public void Dispose() => timer.Dispose();
    }
}
