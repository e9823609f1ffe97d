using System.Globalization;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Soak;

/// <summary>One run: a table of what the app's process reports about itself, then the count of what was stored.</summary>
internal static class SoakRun
{
    /// <summary>The minute that the end is compared with: the working set has settled by then.</summary>
    public const int Reference = 5;

    private const int SamplesPerMinute = 6;
    private const double MostGrowth = 1.1;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Runs and prints; returns 0 if nothing was refused, lost or stored twice and memory did not grow.</summary>
    public static async Task<int> RunAsync(int minutes, int rate, CancellationToken cancellationToken)
    {
        await using var azurite = await SplitAzurite.StartAsync(cancellationToken);
        await using var app = await Sampler.StartAsync(azurite.ConnectionString, cancellationToken);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var posting = SteadyPosts.PostAsync(app.Url, rate, ended.Token);
        var perMinute = new List<Sample>();
        Console.WriteLine(
            "| minute | working set MB | heap MB | handles | threads | gen 0 | gen 2 | GC pause % | lag p50 s | lag max s |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        for (var minute = 1; minute <= minutes; minute++)
        {
            var s = await MinuteAsync(app, posting, cancellationToken);
            perMinute.Add(s);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {minute} | {s.WorkingSet:N0} | {s.Heap:N1} | {s.Handles} | {s.Threads} | {s.Gen0} | {s.Gen2} "
                    + $"| {s.PausePercent:N2} | {s.LagMedian:N3} | {s.LagMost:N3} |"));
        }

        await ended.CancelAsync();
        var (posted, refused) = await posting;
        var rows = await RowsAsync(azurite.ConnectionString, cancellationToken);
        var lost = Enumerable.Range(1, posted).Select(SteadyPosts.IdOf).Except(refused).Except(rows).Count();
        var twice = rows.Count - rows.Distinct(StringComparer.Ordinal).Count();
        var growth = perMinute[^1].WorkingSet / perMinute[Reference - 1].WorkingSet;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{posted - refused.Count:N0} acknowledged, {refused.Count:N0} refused, {lost:N0} lost, {twice:N0} stored twice. "
                + $"Working set at the end: {growth:P1} of minute {Reference}."));
        return refused.Count + lost + twice == 0 && growth <= MostGrowth ? 0 : 1;
    }

    private static async Task<Sample> MinuteAsync(ServingProcess app, Task posting, CancellationToken cancellationToken)
    {
        var samples = new List<Sample>();
        for (var i = 0; i < SamplesPerMinute; i++)
        {
            if (await Task.WhenAny(posting, Task.Delay(TimeSpan.FromMinutes(1.0 / SamplesPerMinute), cancellationToken)) == posting)
            {
                await posting;
            }

            samples.Add(JsonSerializer.Deserialize(await app.AskAsync(cancellationToken), SampleJson.Default.Sample)!);
        }

        return samples[^1] with
        {
            WorkingSet = samples.Average(s => s.WorkingSet),
            Heap = samples.Average(s => s.Heap),
            LagMedian = samples.Select(s => s.LagMedian).Order().ElementAt(SamplesPerMinute / 2),
            LagMost = samples.Max(s => s.LagMost),
        };
    }

    private static async Task<List<string>> RowsAsync(string connectionString, CancellationToken cancellationToken)
    {
        await QueueDrain.WaitAsync([new QueueClient(connectionString, WebhookQueue.Name)], DrainTimeout, cancellationToken);
        return await new TableClient(connectionString, EventStore.TableName)
            .QueryAsync<TableEntity>(select: ["id"], cancellationToken: cancellationToken)
            .Select(row => row.GetString("id"))
            .ToListAsync(cancellationToken);
    }
}
