using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.AppUnderTest;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Soak;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool;

if (args is ["serve", var account])
{
    using var sampler = new Sampler();
    await ServingProcess.ServeAsync(
        Subject.Build(account, consume: true), () => JsonSerializer.Serialize(sampler.Take(), SampleJson.Default.Sample));
    return 0;
}

// The working set has settled by then.
const int Reference = 5;

var minutesOption = new Option<int>("--minutes")
{
    DefaultValueFactory = _ => 30,
    Description = "How long; more than five, because memory at the end is compared with the fifth minute's.",
};
minutesOption.Validators.Add(result =>
{
    if (result.GetValue(minutesOption) <= Reference)
    {
        result.AddError($"--minutes has to be more than {Reference}.");
    }
});
var rateOption = new Option<int>("--rate") { DefaultValueFactory = _ => 30, Description = "Webhooks a second." };
var command = new RootCommand("Posts webhooks at a steady rate and watches the app's process for what grows.")
{
    minutesOption,
    rateOption,
};
command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(minutesOption), parsed.GetValue(rateOption), cancellationToken));
return await command.Parse(args).InvokeAsync();

static async Task<int> RunAsync(int minutes, int rate, CancellationToken cancellationToken)
{
    const int SamplesPerMinute = 6;
    await using var azurite = await SplitAzurite.StartAsync(cancellationToken);
    await using var app = await ServingProcess.StartAsync([azurite.ConnectionString], cancellationToken);

    using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    var posting = PostAsync(app.Url, rate, ended.Token);
    var perMinute = new List<Sample>();
    Console.WriteLine("| minute | working set MB | heap MB | handles | threads | gen 0 | gen 2 | GC pause % | lag p50 s | lag most s |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
    for (var minute = 1; minute <= minutes; minute++)
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

        perMinute.Add(samples[^1] with
        {
            WorkingSet = samples.Average(s => s.WorkingSet),
            Heap = samples.Average(s => s.Heap),
            LagMedian = samples.Select(s => s.LagMedian).Order().ElementAt(SamplesPerMinute / 2),
            LagMost = samples.Max(s => s.LagMost),
        });
        var s = perMinute[^1];
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {minute} | {s.WorkingSet:N0} | {s.Heap:N1} | {s.Handles} | {s.Threads} | {s.Gen0} | {s.Gen2} | {s.PausePercent:N2} | {s.LagMedian:N3} | {s.LagMost:N3} |"));
    }

    await ended.CancelAsync();
    var (posted, refused) = await posting;
    var rows = await RowsAsync(azurite.ConnectionString, cancellationToken);
    var lost = Enumerable.Range(1, posted).Select(IdOf).Except(refused).Except(rows).Count();
    var twice = rows.Count - rows.Distinct(StringComparer.Ordinal).Count();
    var growth = perMinute[^1].WorkingSet / perMinute[Reference - 1].WorkingSet;
    Console.WriteLine(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{posted - refused.Count:N0} acknowledged, {refused.Count:N0} refused, {lost:N0} lost, {twice:N0} stored twice. Working set at the end: {growth:P1} of minute {Reference}."));
    return refused.Count + lost + twice == 0 && growth <= 1.1 ? 0 : 1;
}

// One connection for each ten a second, each on its own clock: a slow answer makes the others no later. Storage is well, so nothing may be refused.
static async Task<(int Posted, List<string> Refused)> PostAsync(Uri url, int rate, CancellationToken cancellationToken)
{
    var next = 0;
    var refused = new ConcurrentBag<string>();
    using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    using var client = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(10) };
    client.DefaultRequestHeaders.Authorization = Subject.Credentials;
    var connections = Math.Max(1, rate / 10);
    await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
    {
        using var clock = new PeriodicTimer(TimeSpan.FromSeconds((double)connections / rate));
        try
        {
            while (await clock.WaitForNextTickAsync(failed.Token))
            {
                // A post that has begun is finished: what it is answered has to be known.
                var n = Interlocked.Increment(ref next);
                using var content = new StringContent(Body(n), Encoding.UTF8, "application/x-www-form-urlencoded");
                using var answer = await client.PostAsync(new Uri("webhook/smtp2go", UriKind.Relative), content, CancellationToken.None);
                if (!answer.IsSuccessStatusCode)
                {
                    refused.Add(IdOf(n));
                }
            }
        }
        catch (OperationCanceledException) when (failed.IsCancellationRequested)
        {
            // The time is up, or another connection failed.
        }
        catch
        {
            await failed.CancelAsync();
            throw;
        }
    }));
    return (next, [.. refused]);
}

static string IdOf(int n) => $"{n:x32}";

static string Body(int n)
{
    var samples = SampleWebhook.OneOfEach($"1s{n / 5:x6}-AbCdEfGhIjK-Lm", DateTimeOffset.UtcNow);
    var fields = samples[n % samples.Count].Fields.ToDictionary(StringComparer.Ordinal);
    fields["id"] = IdOf(n);
    return new SampleWebhook([.. fields]).ToForm();
}

static async Task<List<string>> RowsAsync(string connectionString, CancellationToken cancellationToken)
{
    var queue = new QueueClient(connectionString, WebhookQueue.Name);
    using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    timeout.CancelAfter(TimeSpan.FromMinutes(5));
    while ((await queue.GetPropertiesAsync(timeout.Token)).Value.ApproximateMessagesCount > 0)
    {
        await Task.Delay(100, timeout.Token);
    }

    var events = new TableClient(connectionString, EventStore.TableName);
    return await events
        .QueryAsync<TableEntity>(select: ["id"], cancellationToken: cancellationToken)
        .Select(row => row.GetString("id"))
        .ToListAsync(cancellationToken);
}
