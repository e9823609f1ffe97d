using System.Text;
using BenchmarkDotNet.Attributes;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>Encodes a webhook for a queue message, builds a full message, and reads it back.</summary>
[MemoryDiagnoser]
public class EnvelopeBenchmarks
{
    private static readonly ReceivedWebhook Webhook = new(
        "0196900fb5807c3e8f2b1d4a6c5e7f90",
        new DateTimeOffset(2026, 5, 2, 11, 20, 32, TimeSpan.Zero),
        "application/x-www-form-urlencoded",
        null,
        null);

    private readonly byte[][] full;
    private readonly string message;

    public EnvelopeBenchmarks()
    {
        var encoded = EncodeForm()!;
        full = [.. Enumerable.Repeat(encoded, (Envelope.MaxMessageBytes - 100) / (encoded.Length + 1))];
        message = Envelope.Wrap(full).ToString();
    }

    [Benchmark]
    public byte[]? EncodeForm() => Envelope.Encode(Webhook with { Body = Encoding.UTF8.GetString(Samples.Form) });

    [Benchmark]
    public byte[]? EncodeJson() => Envelope.Encode(Webhook with { Body = Encoding.UTF8.GetString(Samples.Json) });

    [Benchmark]
    public BinaryData WrapFullMessage() => Envelope.Wrap(full);

    [Benchmark]
    public EnvelopeContent ReadFullMessage() => Envelope.Read(message);
}
