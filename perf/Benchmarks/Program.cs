using BenchmarkDotNet.Running;
using Smtp2GoIngest.Benchmarks;

// `dotnet run -c Release --project perf/Benchmarks -- --filter '*'`, with BenchmarkDotNet's own arguments.
BenchmarkSwitcher.FromAssembly(typeof(ParserBenchmarks).Assembly).Run(args);
