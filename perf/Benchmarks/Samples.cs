using System.Text;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>What SMTP2GO sends most: the delivery of one email.</summary>
internal static class Samples
{
    private static readonly SampleWebhook Delivered = SampleWebhook
        .OneOfEach("1wQ7Zk-AAbb9Xc3LmN-Tt0V", new DateTimeOffset(2026, 5, 2, 11, 20, 31, TimeSpan.Zero))
        .First(webhook => webhook.Fields.Contains(KeyValuePair.Create<string, object>("event", "delivered")));

    public static byte[] Form { get; } = Encoding.UTF8.GetBytes(Delivered.ToForm());

    public static byte[] Json { get; } = Encoding.UTF8.GetBytes(Delivered.ToJson());

    public static EmailEvent Event { get; } =
        EmailEvent.TryParse(Form, out var emailEvent, out _)
            ? emailEvent
            : throw new InvalidOperationException("The sample is not an event.");
}
