using Smtp2GoIngest.Perf.AppUnderTest;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>Measures the sides in turn and counts every acknowledged webhook.</summary>
/// <param name="sides">Which sides to measure: comparing needs all of them, counting only the app.</param>
/// <param name="assembly">This program, compiled as the app is deployed; null for this process's own.</param>
/// <param name="warmUp">How long each side receives unmeasured first, so that no code is measured on its first run.</param>
internal sealed class Comparison(
    Storage storage, Side[] sides, string? assembly, TimeSpan warmUp, CancellationToken cancellationToken)
{
    private const int Busy = 64;
    private const double MB = 1024 * 1024;

    private readonly Bare bare = new(storage);

    private IEnumerable<Side> Storing => sides.Where(side => side is Side.App or Side.Plain);

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
        await ServingAsync(sides.Where(side => side != Side.Bare).ToArray(), [], async servers =>
        {
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
                        Add(cells, (side, connections), cell);
                        var messages = await CountAsync(side, cell.Seen);
                        if (side == Side.App && sides.Contains(Side.Bare))
                        {
                            Add(cells, (Side.Bare, connections), await bare.EnqueueAsync(messages, cell.Seen, cancellationToken));
                        }
                    }
                }
            }
        });
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
                await using (var server = await StartAsync(side, consume: true))
                {
                    before = await Clients.RunAsync(server.Url, Busy, warmUp, cancellationToken);
                    Add(cells, (side, Busy), await MeasureAsync(side, server, Busy, duration) with { SendsPerThousand = double.NaN });
                }

                var after = cells[(side, Busy)][^1].Seen;
                Count(
                    side,
                    [before, after],
                    (await storage.CountAsync(side, cancellationToken)).Events,
                    (await storage.QueuedAsync(side, cancellationToken)).Ids);
            }
        }

        return cells;
    }

    /// <summary>Stores a backlog. <see cref="Side.Bare"/> writes the rows that the app has written in the same round.</summary>
    /// <param name="warmUpBacklog">Stored first and not measured: the runtime compiles the same code more than once.</param>
    public async Task<Dictionary<Side, List<Draining>>> DrainAsync(int rounds, int backlog, int warmUpBacklog)
    {
        var cells = new Dictionary<Side, List<Draining>>();
        await ServingAsync(Storing.ToArray(), [], async servers =>
        {
            foreach (var (side, server) in servers)
            {
                await DrainAsync(side, server, warmUpBacklog);
            }

            for (var round = 0; round < rounds; round++)
            {
                foreach (var (side, server) in InTurn(round, servers))
                {
                    Add(cells, side, await DrainAsync(side, server, backlog));
                    if (side == Side.App && sides.Contains(Side.Bare))
                    {
                        Add(cells, Side.Bare, await bare.StoreAsync(cancellationToken));
                    }
                }
            }
        });
        return cells;
    }

    /// <summary>Receives and stores many webhooks in one process of the app, at once or one after the other.</summary>
    public async Task<Flood> FloodAsync(int webhooks, int connections)
    {
        await storage.ResetAsync(cancellationToken);
        await using var server = await StartAsync(Side.App, consume: true);
        var first = await Clients.RunAsync(server.Url, connections, warmUp, cancellationToken);
        await storage.DrainedAsync(Side.App, cancellationToken);
        Count(Side.App, [first], (await storage.CountAsync(Side.App, cancellationToken)).Events, []);
        await storage.ResetAsync(cancellationToken);
        var (cpu, requests) = (server.Cpu, await Sides.RequestsAsync(server, cancellationToken));
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
        var seen = await Clients.RunAsync(server.Url, connections, TimeSpan.FromMinutes(10), cancellationToken, webhooks);
        await storage.DrainedAsync(Side.App, cancellationToken);
        await done.CancelAsync();
        await watch;
        (cpu, requests) = (server.Cpu - cpu, await Sides.RequestsAsync(server, cancellationToken) - requests);
        Count(Side.App, [seen], (await storage.CountAsync(Side.App, cancellationToken)).Events, []);
        return new Flood(
            seen.Acknowledged.Count,
            memory[memory.Count / 4],
            memory[^1],
            server.PeakMemory / MB,
            cpu.TotalSeconds * 1000 / seen.Acknowledged.Count,
            requests * 1000.0 / seen.Acknowledged.Count);
    }

    /// <summary>The sides in turn, every other round the last one first.</summary>
    private static IEnumerable<T> InTurn<T>(int round, IEnumerable<T> all) => round % 2 == 0 ? all : all.Reverse();

    private static void Add<TKey, TCell>(Dictionary<TKey, List<TCell>> cells, TKey key, TCell cell)
        where TKey : notnull
    {
        cells.TryAdd(key, []);
        cells[key].Add(cell);
    }

    private Task<ServingProcess> StartAsync(Side side, bool consume) =>
        Sides.StartAsync(side, storage.ConnectionString, consume, assembly, cancellationToken);

    /// <summary>Measures with a process for each of these sides, none of which stores yet. All of them end, whatever fails.</summary>
    /// <param name="serving">Those that have been started already.</param>
    private async Task ServingAsync(
        ReadOnlyMemory<Side> which,
        IReadOnlyList<(Side Side, ServingProcess Server)> serving,
        Func<IReadOnlyList<(Side Side, ServingProcess Server)>, Task> measure)
    {
        if (which.IsEmpty)
        {
            await measure(serving);
            return;
        }

        var side = which.Span[0];
        await using var server = await StartAsync(side, consume: false);
        await ServingAsync(which[1..], [.. serving, (side, server)], measure);
    }

    /// <param name="server">Does not store, neither before nor after this.</param>
    private async Task<Draining> DrainAsync(Side side, ServingProcess server, int backlog)
    {
        await storage.ResetAsync(cancellationToken);
        var seen = await Clients.RunAsync(server.Url, Busy, TimeSpan.FromMinutes(5), cancellationToken, backlog);

        var requests = await Sides.RequestsAsync(server, cancellationToken);
        await server.SwitchAsync(cancellationToken);
        var (start, cpu) = (TimeProvider.System.GetTimestamp(), server.Cpu);
        await storage.DrainedAsync(side, cancellationToken);
        var (elapsed, used) = (TimeProvider.System.GetElapsedTime(start).TotalSeconds, (server.Cpu - cpu).TotalSeconds);
        requests = await Sides.RequestsAsync(server, cancellationToken) - requests;
        await server.SwitchAsync(cancellationToken);

        var (events, all) = await storage.CountAsync(side, cancellationToken);
        Count(side, [seen], events, []);
        return new Draining(
            events.Count / elapsed, all / elapsed, used * 1000 / events.Count, requests * 1000.0 / events.Count, server.PeakMemory / MB);
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

    /// <returns>The messages in the queue, which is empty now.</returns>
    private async Task<List<string>> CountAsync(Side side, Seen seen)
    {
        if (side == Side.Floor)
        {
            return [];
        }

        var (ids, messages) = await storage.QueuedAsync(side, cancellationToken);
        Count(side, [seen], [], ids);
        return messages;
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
