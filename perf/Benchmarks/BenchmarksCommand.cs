using System.CommandLine;
using BenchmarkDotNet.Running;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>The steps that every webhook goes through, each on its own.</summary>
internal sealed class BenchmarksCommand : Command
{
    public BenchmarksCommand()
        : base("benchmarks", "Runs the benchmarks, with BenchmarkDotNet's own arguments, for example --filter '*'; -- --help lists them.")
    {
        TreatUnmatchedTokensAsErrors = false;
        SetAction(parsed => BenchmarkSwitcher.FromAssembly(typeof(BenchmarksCommand).Assembly).Run([.. parsed.UnmatchedTokens]));
    }
}
