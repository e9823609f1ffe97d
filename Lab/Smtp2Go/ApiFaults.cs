using System.Collections.Concurrent;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What goes wrong with a call.</summary>
/// <param name="Status">0 drops the connection.</param>
/// <param name="Body">In place of an error in the API's own form.</param>
/// <param name="Delay">How long it takes, by the server's clock. With a status of 200 and no body, the right answer comes then.</param>
public sealed record ApiFault(int Status, string? Body = null, TimeSpan Delay = default)
{
    private const string Html = "<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>Please wait</h1></body></html>";

    public static ApiFault TooManyCalls { get; } = new(429);

    public static ApiFault ServerError { get; } = new(500);

    public static ApiFault Unavailable { get; } = new(503);

    /// <summary>The connection breaks before an answer.</summary>
    public static ApiFault Drop { get; } = new(0);

    /// <summary>The connection breaks in the middle of the answer.</summary>
    public static ApiFault Cut { get; } = new(-1);

    /// <summary>A page of somebody's proxy, with a status that means success.</summary>
    public static ApiFault NotJson { get; } = new(200, Html);

    /// <summary>JSON with nothing in it that belongs there.</summary>
    public static ApiFault EmptyJson { get; } = new(200, "{}");

    public static ApiFault Slow(TimeSpan delay) => new(200, Delay: delay);
}

/// <summary>Which calls go wrong: those that were queued first, then a share of all calls.</summary>
public sealed class ApiFaults
{
    private static readonly ApiFault[] All =
    [
        ApiFault.TooManyCalls, ApiFault.ServerError, ApiFault.Unavailable, ApiFault.Drop, ApiFault.Cut, ApiFault.NotJson,
        ApiFault.Slow(TimeSpan.FromSeconds(2)),
    ];

    private readonly ConcurrentQueue<ApiFault> queued = new();
    private readonly Lock gate = new();
    private Random random = new(0);
    private double share;
    private ApiFault[] kinds = All;

    /// <summary>The next calls go wrong in this way.</summary>
    public void Enqueue(ApiFault fault, int calls = 1)
    {
        for (var i = 0; i < calls; i++)
        {
            queued.Enqueue(fault);
        }
    }

    /// <summary>A share of all calls goes wrong, in one of these ways; in each of them if none is named.</summary>
    public void Randomly(int seed, double share, params ApiFault[] kinds)
    {
        lock (gate)
        {
            random = new Random(seed);
            this.share = share;
            this.kinds = kinds.Length == 0 ? All : kinds;
        }
    }

    internal ApiFault? Next()
    {
        if (queued.TryDequeue(out var fault))
        {
            return fault;
        }

        lock (gate)
        {
            return random.NextDouble() < share ? kinds[random.Next(kinds.Length)] : null;
        }
    }
}
