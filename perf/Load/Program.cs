using System.Globalization;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Load;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Spectre.Console;

if (args is ["serve", var served, var account, var consuming])
{
    await Sides.ServeAsync(served, account, bool.Parse(consuming));
    return 0;
}

// The app beside the plain way and beside the floor: same clients, same payloads, in turn, Azurite's services apart.
var quick = args.Contains("--quick");
var (rounds, seconds, backlog, flood) = quick ? (1, 1, 500, 1_000) : (5, 3, 20_000, 100_000);
int[] connectionCounts = quick ? [1, 64] : [1, 16, 64, 256];
string[] sides = [Sides.App, Sides.Plain, Sides.Floor];
var lost = 0;
var data = Directory.CreateTempSubdirectory("smtp2go-ingest-load-");
try
{
    await Azurite.InstallAsync(CancellationToken.None);
    await using var blobs = await Azurite.StartAsync(data.CreateSubdirectory("blobs").FullName, [], CancellationToken.None);
    await using var queues = await Azurite.StartAsync(data.CreateSubdirectory("queues").FullName, [], CancellationToken.None);
    await using var tables = await Azurite.StartAsync(data.CreateSubdirectory("tables").FullName, [], CancellationToken.None);
    var connection = blobs.ConnectionString
        .Replace(Endpoint(blobs, "Queue"), Endpoint(queues, "Queue"), StringComparison.Ordinal)
        .Replace(Endpoint(blobs, "Table"), Endpoint(tables, "Table"), StringComparison.Ordinal);
    var queueOf = new Dictionary<string, QueueClient> { [Sides.App] = new(connection, WebhookQueue.Name), [Sides.Plain] = new(connection, Sides.PlainQueue) };
    foreach (var queue in queueOf.Values)
    {
        await queue.CreateAsync();
    }

    string[] eventTables = [EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable, Sides.PlainTable];
    foreach (var table in eventTables)
    {
        await new TableClient(connection, table).CreateAsync();
    }

    var receiving = new Table().RoundedBorder().Title("Receiving, nobody draining").AddColumns("Connections", "Side", "Acknowledged/s", "p50 ms", "p99 ms", "p999 ms", "CPU s/1,000", "Queue messages/1,000");
    foreach (var connections in connectionCounts)
    {
        var cells = sides.ToDictionary(side => side, _ => new List<Cell>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var side in sides)
            {
                cells[side].Add(await ReceiveAsync(side, connections, consume: false));
            }
        }

        foreach (var side in sides)
        {
            Add(receiving, connections, side, cells);
        }
    }

    AnsiConsole.Write(receiving);

    var draining = new Table().RoundedBorder().Title("Receiving at 64 connections while the queue is drained").AddColumns("Connections", "Side", "Acknowledged/s", "p50 ms", "p99 ms", "p999 ms", "CPU s/1,000", "Queue messages/1,000");
    var busy = sides[..2].ToDictionary(side => side, _ => new List<Cell>());
    for (var round = 0; round < rounds; round++)
    {
        foreach (var side in sides[..2])
        {
            busy[side].Add(await ReceiveAsync(side, 64, consume: true));
        }
    }

    foreach (var side in sides[..2])
    {
        Add(draining, 64, side, busy);
    }

    AnsiConsole.Write(draining);

    var storing = new Table().RoundedBorder().Title($"Draining {backlog:N0} webhooks").AddColumns("Side", "Events/s", "Rows/s over all tables", "CPU s/1,000");
    var rates = sides[..2].ToDictionary(side => side, _ => new List<(double Events, double Rows, double Cpu)>());
    for (var round = 0; round < Math.Min(rounds, 3); round++)
    {
        foreach (var side in sides[..2])
        {
            rates[side].Add(await DrainAsync(side));
        }
    }

    foreach (var (side, all) in rates)
    {
        storing.AddRow(side, Number(Median(all.Select(r => r.Events)), 0), Number(Median(all.Select(r => r.Rows)), 0), Number(Median(all.Select(r => r.Cpu)), 3));
    }

    AnsiConsole.Write(storing);
    await FloodAsync();
    AnsiConsole.WriteLine(lost == 0 ? "Every acknowledged webhook was found in the tables." : $"{lost} acknowledged webhooks were not found in the tables.");
    return lost == 0 ? 0 : 1;

    async Task<Cell> ReceiveAsync(string side, int connections, bool consume)
    {
        await using var server = await Server.StartAsync(side, connection, consume);
        await Clients.RunAsync(server.Url, connections, TimeSpan.FromSeconds(1));
        var (cpu, queued) = (server.Cpu, await QueuedAsync(side));
        var seen = await Clients.RunAsync(server.Url, connections, TimeSpan.FromSeconds(seconds));
        var cell = new Cell(seen, (server.Cpu - cpu).TotalSeconds * 1000 / seen.Acknowledged, (await QueuedAsync(side) - queued) * 1000.0 / seen.Acknowledged);
        if (consume)
        {
            await EmptyAsync(side);
        }
        else if (side != Sides.Floor)
        {
            await queueOf[side].ClearMessagesAsync();
        }

        return cell;
    }

    async Task<(double Events, double Rows, double Cpu)> DrainAsync(string side)
    {
        await using (var filling = await Server.StartAsync(side, connection, consume: false))
        {
            await Clients.RunAsync(filling.Url, 64, TimeSpan.FromMinutes(5), backlog);
        }

        var before = await RowsAsync(side);
        await using var server = await Server.StartAsync(side, connection, consume: true);
        var start = TimeProvider.System.GetTimestamp();
        await EmptyAsync(side);
        var elapsed = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        var cpu = server.Cpu.TotalSeconds;
        var after = await RowsAsync(side);
        lost += Math.Max(0, backlog - (after.Events - before.Events));
        return (backlog / elapsed, (after.All - before.All) / elapsed, cpu * 1000 / backlog);
    }

    async Task FloodAsync()
    {
        var before = await RowsAsync(Sides.App);
        await using var server = await Server.StartAsync(Sides.App, connection, consume: true);
        var memory = new List<long>();
        using var done = new CancellationTokenSource();
        var watch = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                memory.Add(server.Memory);
                await Task.Delay(500);
            }
        });
        var seen = await Clients.RunAsync(server.Url, 64, TimeSpan.FromMinutes(10), flood);
        await EmptyAsync(Sides.App);
        await done.CancelAsync();
        await watch;
        var after = await RowsAsync(Sides.App);
        lost += Math.Max(0, seen.Acknowledged - (after.Events - before.Events));
        AnsiConsole.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{seen.Acknowledged:N0} received and drained by one process: memory {memory[memory.Count / 4] / 1048576} MB after a quarter, {memory[^1] / 1048576} MB at the end, {memory.Max() / 1048576} MB at most."));
    }

    async Task<int> QueuedAsync(string side) =>
        side == Sides.Floor ? 0 : (await queueOf[side].GetPropertiesAsync()).Value.ApproximateMessagesCount;

    async Task EmptyAsync(string side)
    {
        while (await QueuedAsync(side) > 0)
        {
            await Task.Delay(100);
        }
    }

    async Task<(int Events, int All)> RowsAsync(string side)
    {
        var counts = new List<int>();
        foreach (var table in side == Sides.App ? eventTables[..3] : eventTables[3..])
        {
            var count = 0;
            await foreach (var page in new TableClient(connection, table).QueryAsync<TableEntity>(select: ["PartitionKey"]).AsPages())
            {
                count += page.Values.Count;
            }

            counts.Add(count);
        }

        return (counts[0], counts.Sum());
    }
}
finally
{
    data.Delete(recursive: true);
}

static void Add(Table table, int connections, string side, Dictionary<string, List<Cell>> cells)
{
    var (own, plain) = (cells[side], cells[Sides.Plain]);
    table.AddRow(
        connections.ToString(CultureInfo.InvariantCulture),
        side,
        Figure(c => c.Seen.PerSecond, 0),
        Figure(c => c.Seen.At(0.5), 1),
        Figure(c => c.Seen.At(0.99), 1),
        Figure(c => c.Seen.At(0.999), 1),
        Figure(c => c.CpuPerThousand, 3),
        Number(Median(own.Select(c => c.MessagesPerThousand)), 0));

    // The ratio of each round, then the median of them: the machine's speed drifts.
    string Figure(Func<Cell, double> of, int digits) => side == Sides.Plain
        ? Number(Median(own.Select(of)), digits)
        : $"{Number(Median(own.Select(of)), digits)} ({Number(Median(own.Zip(plain, (a, b) => of(a) / of(b))), 2)} : 1)";
}

static string Endpoint(Azurite azurite, string service) => Regex.Match(azurite.ConnectionString, $"{service}Endpoint=[^;]+", RegexOptions.None, TimeSpan.FromSeconds(1)).Value;

static double Median(IEnumerable<double> values)
{
    var sorted = values.Order().ToList();
    return sorted[sorted.Count / 2];
}

static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);
