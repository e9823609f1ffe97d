using BenchmarkDotNet.Attributes;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>The check before the answer, and the parsing after it.</summary>
[MemoryDiagnoser]
public class ParserBenchmarks
{
    [Benchmark]
    public BodyProblem CheckForm() => WebhookBody.Check(Samples.Form);

    [Benchmark]
    public BodyProblem CheckJson() => WebhookBody.Check(Samples.Json);

    [Benchmark]
    public EmailEvent? ParseForm() => Parse(Samples.Form);

    [Benchmark]
    public EmailEvent? ParseJson() => Parse(Samples.Json);

    private static EmailEvent? Parse(byte[] body) => EmailEvent.TryParse(body, out var emailEvent, out _) ? emailEvent : null;
}
