using BenchmarkDotNet.Attributes;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>The keys of one event in all three tables.</summary>
[MemoryDiagnoser]
public class KeyBenchmarks
{
    [Benchmark]
    public (string, string) Event() => (EventKeys.PartitionKey(Samples.Event), EventKeys.RowKey(Samples.Event));

    [Benchmark]
    public (string, string) Recipient() =>
        (EventKeys.RecipientPartitionKey(Samples.Event.About[0]), EventKeys.RecipientRowKey(Samples.Event));

    [Benchmark]
    public (string, string) Day() => (EventKeys.DayPartitionKey(Samples.Event), EventKeys.DayRowKey(Samples.Event));
}
