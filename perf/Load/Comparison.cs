using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>One measurement of receiving.</summary>
/// <param name="CpuPerThousand">Processor time of the side's process for a thousand acknowledged webhooks, in seconds.</param>
/// <param name="SendsPerThousand">
/// Queue messages sent for a thousand acknowledged webhooks; NaN if they are taken out again in the meantime.
/// </param>
/// <param name="PeakMemory">The largest working set of the side's process so far, in MB.</param>
internal sealed record Receiving(Seen Seen, double CpuPerThousand, double SendsPerThousand, double PeakMemory);

/// <summary>One measurement of storing a backlog.</summary>
internal sealed record Draining(double EventsPerSecond, double RowsPerSecond, double CpuPerThousand, double PeakMemory);

/// <summary>The memory of a process that receives many webhooks and stores them, in MB.</summary>
internal sealed record Flood(int Webhooks, double AfterAQuarter, double AtTheEnd, double AtMost);

/// <summary>Measures the sides in turn and counts every acknowledged webhook.</summary>
/// <param name="sides">Which sides to measure: comparing needs all of them, counting only the app.</param>
/// <param name="warmUp">How long each side runs unmeasured first, so that no code is measured on its first run.</param>
internal sealed class Comparison(Storage storage, Side[] sides, TimeSpan warmUp, CancellationToken cancellationToken)
{
    private const int Busy = 64;
    private const double MB = 1024 * 1024;

    private IEnumerable<Side> Storing => sides.Where(side => side != Side.Floor);

    /// <summary>Webhooks that were acknowledged but are neither in the queue nor in the table.</summary>
    public int Lost { get; private set; }

    /// <summary>Events with a second row.</summary>
    public int Twice { get; private set; }

    /// <summary>Webhooks that were acknowledged and looked for.</summary>
    public int Counted { get; private set; }

    /// <summary>Webhooks that were not acknowledged, for each side.</summary>
    public Dictionary<Side, int> Refused { get; } = [];

    /// <summary>Receives with nobody draining, the sides in turn.</summary>
    public async Task<Dictionary<(Side Side, int Connections), List<Receiving>>> ReceiveAsync(
        int[] connectionCounts, int rounds, TimeSpan duration)
    {
        var cells = new Dictionary<(Side Side, int Connections), List<Receiving>>();
        var servers = new List<(Side Side, ServingProcess Server)>();
        try
        {
            foreach (var side in sides)
            {
                servers.Add((side, await Sides.StartAsync(side, storage.ConnectionString, consume: false, cancellationToken)));
            }

            foreach (var (side, server) in servers)
            {
                await storage.ResetAsync(cancellationToken);
                await CountAsync(side, await Clients.RunAsync(server.Url, Busy, warmUp, cancellationToken));
            }

            foreach (var connections in connectionCounts)
            {
                for (var round = 0; round < rounds; round++)
                {
                    foreach (var (side, server) in InTurn(round, servers))
                    {
                        await storage.ResetAsync(cancellationToken);
                        var cell = await MeasureAsync(side, server, connections, duration);
                        await CountAsync(side, cell.Seen);
                        Add(cells, (side, connections), cell);
                    }
                }
            }
        }
        finally
        {
            foreach (var (_, server) in servers)
            {
                await server.DisposeAsync();
            }
        }

        return cells;
    }

    /// <summary>Receives while the same process stores.</summary>
    public async Task<Dictionary<(Side Side, int Connections), List<Receiving>>> ReceiveAndStoreAsync(int rounds, TimeSpan duration)
    {
        var cells = new Dictionary<(Side Side, int Connections), List<Receiving>>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var side in InTurn(round, Storing))
            {
                await storage.ResetAsync(cancellationToken);
                Seen before;
                await using (var server = await Sides.StartAsync(side, storage.ConnectionString, consume: true, cancellationToken))
                {
                    before = await Clients.RunAsync(server.Url, Busy, warmUp, cancellationToken);
                    Add(cells, (side, Busy), await MeasureAsync(side, server, Busy, duration) with { SendsPerThousand = double.NaN });
                }

                var after = cells[(side, Busy)][^1].Seen;
                Count(
                    side,
                    [before, after],
                    (await storage.RowsAsync(side, cancellationToken)).Events,
                    await storage.QueuedAsync(side, cancellationToken));
            }
        }

        return cells;
    }

    /// <summary>Stores a backlog.</summary>
    public async Task<Dictionary<Side, List<Draining>>> DrainAsync(int rounds, int backlog)
    {
        var cells = new Dictionary<Side, List<Draining>>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var side in InTurn(round, Storing))
            {
                await storage.ResetAsync(cancellationToken);
                Seen seen;
                await using (var filling = await Sides.StartAsync(side, storage.ConnectionString, consume: false, cancellationToken))
                {
                    seen = await Clients.RunAsync(filling.Url, Busy, TimeSpan.FromMinutes(5), cancellationToken, backlog);
                }

                await using var server = await Sides.StartAsync(side, storage.ConnectionString, consume: true, cancellationToken);
                var (start, cpu) = (TimeProvider.System.GetTimestamp(), server.Cpu);
                await storage.DrainedAsync(side, cancellationToken);
                var (elapsed, used) = (TimeProvider.System.GetElapsedTime(start).TotalSeconds, (server.Cpu - cpu).TotalSeconds);
                var (events, all) = await storage.RowsAsync(side, cancellationToken);
                Count(side, [seen], events, []);
                Add(cells, side, new Draining(events.Count / elapsed, all / elapsed, used * 1000 / events.Count, server.PeakMemory / MB));
            }
        }

        return cells;
    }

    /// <summary>Receives and stores many webhooks in one process of the app.</summary>
    public async Task<Flood> FloodAsync(int webhooks)
    {
        await storage.ResetAsync(cancellationToken);
        await using var server = await Sides.StartAsync(Side.App, storage.ConnectionString, consume: true, cancellationToken);
        var memory = new List<double>();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    memory.Add(server.Memory / MB);
                    await Task.Delay(500, done.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
                }
            },
            CancellationToken.None);
        var seen = await Clients.RunAsync(server.Url, Busy, TimeSpan.FromMinutes(10), cancellationToken, webhooks);
        await storage.DrainedAsync(Side.App, cancellationToken);
        await done.CancelAsync();
        await watch;
        Count(Side.App, [seen], (await storage.RowsAsync(Side.App, cancellationToken)).Events, []);
        return new Flood(seen.Acknowledged.Count, memory[memory.Count / 4], memory[^1], server.PeakMemory / MB);
    }

    /// <summary>The sides in turn, every other round the last one first.</summary>
    private static IEnumerable<T> InTurn<T>(int round, IEnumerable<T> all) => round % 2 == 0 ? all : all.Reverse();

    private static void Add<TKey, TCell>(Dictionary<TKey, List<TCell>> cells, TKey key, TCell cell)
        where TKey : notnull
    {
        cells.TryAdd(key, []);
        cells[key].Add(cell);
    }

    private async Task<Receiving> MeasureAsync(Side side, ServingProcess server, int connections, TimeSpan duration)
    {
        var (cpu, messages) = (server.Cpu, await storage.MessagesAsync(side, cancellationToken));
        var seen = await Clients.RunAsync(server.Url, connections, duration, cancellationToken);
        return new Receiving(
            seen,
            (server.Cpu - cpu).TotalSeconds * 1000 / seen.Acknowledged.Count,
            (await storage.MessagesAsync(side, cancellationToken) - messages) * 1000.0 / seen.Acknowledged.Count,
            server.PeakMemory / MB);
    }

    private async Task CountAsync(Side side, Seen seen)
    {
        if (side != Side.Floor)
        {
            Count(side, [seen], [], await storage.QueuedAsync(side, cancellationToken));
        }
    }

    private void Count(Side side, Seen[] seen, List<string> rows, List<string> queued)
    {
        var acknowledged = seen.SelectMany(s => s.Acknowledged).ToList();
        Counted += acknowledged.Count;
        Refused[side] = Refused.GetValueOrDefault(side) + seen.Sum(s => s.Failed);
        Lost += acknowledged.Except(rows.Concat(queued)).Count();
        Twice += rows.Count - rows.Distinct(StringComparer.Ordinal).Count();
    }
}
