using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>
/// Random faults, of every kind on every operation. With the same seed, the n-th request of an operation gets the same fault in every run.
/// </summary>
/// <param name="share">The share of requests that get a fault: 0.02 is one in fifty.</param>
public sealed class RandomFaults(int seed, double share)
{
    // What the SDKs accept as success: 200 for reads; 201, 202 and 204 for writes.
    private static readonly int[] Successes = [200, 200, 201, 202, 204];

    private readonly ConcurrentDictionary<(StorageService, string), Random> chances = new();

    /// <summary>For <see cref="StorageProxy.Choose"/>.</summary>
    public Fault? Choose(StorageRequest request)
    {
        var random = chances.GetOrAdd((request.Service, request.Operation), NewRandom);
        lock (random)
        {
            return random.NextDouble() < share ? Next(random, request) : null;
        }
    }

    private static Fault Next(Random random, StorageRequest request) => random.Next(11) switch
    {
        0 or 1 => Fault.Delay(TimeSpan.FromMilliseconds(random.Next(50, 3000))),
        2 => Fault.Error(500, random.Next(2) == 0 ? "InternalError" : "OperationTimedOut", takesEffect: random.Next(2) == 0),
        3 => Fault.Error(503, "ServerBusy"),
        4 => Fault.Error(429, "TooManyRequests"),
        5 => Fault.Error(409, Conflict(request), takesEffect: random.Next(2) == 0),
        6 => Fault.DropBefore,
        7 => Fault.DropAfter,
        8 => Fault.CutAnswer,
        9 => random.Next(2) == 0 ? Fault.HangBefore : Fault.HangAfter,
        _ when random.Next(4) == 0 => Fault.Garbage(200, "application/json", "{}"),
        _ => Fault.CaptivePortal(Successes[random.Next(Successes.Length)]),
    };

    // The conflicts that Azure has for each service; some claim that something exists which does not.
    private static string Conflict(StorageRequest request) => request.Service switch
    {
        StorageService.Queue => request.Operation == "CreateQueue" ? "QueueAlreadyExists" : "QueueBeingDeleted",
        StorageService.Blob => request.Operation switch
        {
            "PutBlob" => "BlobAlreadyExists",
            "CreateContainer" => "ContainerAlreadyExists",
            _ => "ContainerBeingDeleted",
        },
        _ => request.Operation switch
        {
            "InsertEntity" or "Batch" => "EntityAlreadyExists",
            "CreateTable" => "TableAlreadyExists",
            _ => "TableBeingDeleted",
        },
    };

    private Random NewRandom((StorageService Service, string Operation) key) =>
        new(
            BinaryPrimitives.ReadInt32LittleEndian(
                SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}/{key.Service}/{key.Operation}")))));
}
