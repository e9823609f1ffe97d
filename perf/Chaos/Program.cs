using System.CommandLine;
using Smtp2GoIngest.Chaos;

var minutes = new Option<double>("--minutes")
{
    Description = "How long the chaos lasts; draining and balancing the books come after.",
    DefaultValueFactory = _ => 3,
};
var seed = new Option<int>("--seed")
{
    Description = "Repeats the schedule of an earlier run.",
    DefaultValueFactory = _ => Random.Shared.Next(1, 1_000_000),
};
var root = new RootCommand(
    "Kills, faults and poison while webhooks arrive; then every acknowledged one is looked for. Exits 1 when the books do not balance.")
{
    minutes,
    seed,
};
root.SetAction(
    (parsed, cancellationToken) =>
        ChaosRun.RunAsync(TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(seed), cancellationToken));

// Ctrl+C: time enough to stop the app and Azurite.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
