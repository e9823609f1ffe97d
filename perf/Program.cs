using System.CommandLine;
using Smtp2GoIngest.Perf;
using Smtp2GoIngest.Perf.Benchmarks;
using Smtp2GoIngest.Perf.Chaos;
using Smtp2GoIngest.Perf.Days;
using Smtp2GoIngest.Perf.Edge;
using Smtp2GoIngest.Perf.Load;
using Smtp2GoIngest.Perf.Reconciling;
using Smtp2GoIngest.Perf.Soak;
using Smtp2GoIngest.Perf.StartUp;
using Smtp2GoIngest.Perf.Studio;

var root = new RootCommand("Attacks and measures the app. Each command exits with 1 if a check fails.")
{
    new EdgeCommand(),
    new LoadCommand(),
    new ChaosCommand(),
    new SoakCommand(),
    new StartUpCommand(),
    new DaysCommand(),
    new StudioCommand(),
    new ReconcileCommand(),
    new BenchmarksCommand(),
    new ServeCommand(),
};

// Ctrl+C: leaves enough time to stop the app and Azurite.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
