using System.CommandLine;
using BenchmarkDotNet.Running;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>The pieces that every webhook passes, each alone.</summary>
internal sealed class BenchmarksCommand : Command
{
    public BenchmarksCommand()
        : base("benchmarks", "Runs the benchmarks, with BenchmarkDotNet's own arguments: --filter '*'; -- --help lists them.")
    {
        TreatUnmatchedTokensAsErrors = false;
        SetAction(parsed => BenchmarkSwitcher.FromAssembly(typeof(BenchmarksCommand).Assembly).Run([.. parsed.UnmatchedTokens]));
    }
}
