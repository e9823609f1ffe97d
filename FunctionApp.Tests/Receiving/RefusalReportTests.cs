using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.Receiving;

public sealed class RefusalReportTests
{
    [Fact]
    public void Each_reason_warns_at_once_and_then_at_most_once_a_minute_with_the_count()
    {
        using var emitted = new Emitted();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(emitted));
        var time = new FakeTimeProvider();
        var report = new RefusalReport(time, loggers.CreateLogger<RefusalReport>());

        for (var second = 0; second < 120; second++)
        {
            report.Note("wrong-secret", 401, "fix it");
            time.Advance(TimeSpan.FromSeconds(1));
        }

        report.Note("source", 403, "look there");

        Assert.Equal(
            ["1 requests", "60 requests", "1 requests"],
            emitted
                .Lines.Where(line => line.StartsWith("log Warning 100", StringComparison.Ordinal))
                .Select(line => line.Split("Refused ")[1][..line.Split("Refused ")[1].IndexOf(" since", StringComparison.Ordinal)]));
    }
}
