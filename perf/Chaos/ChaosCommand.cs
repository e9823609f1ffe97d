using System.CommandLine;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Checks that nothing acknowledged is lost when everything goes wrong.</summary>
internal sealed class ChaosCommand : Command
{
    public ChaosCommand()
        : base("chaos", "Kills the app and injects faults and poison while webhooks arrive, then looks for every acknowledged webhook.")
    {
        var minutes = new Option<double>("--minutes")
        {
            Description = "How long the chaos lasts. Draining the queues and balancing the books come afterwards.",
            DefaultValueFactory = _ => 3,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "Repeats the schedule of an earlier run; random by default.",
            DefaultValueFactory = _ => Random.Shared.Next(1, 1_000_000),
        };
        Options.Add(minutes);
        Options.Add(seed);
        SetAction((parsed, cancellationToken) =>
            ChaosRun.RunAsync(TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(seed), cancellationToken));
    }
}
