using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Perf.Soak;

/// <summary>What the app's process reports about itself.</summary>
/// <param name="WorkingSet">MB.</param>
/// <param name="Heap">MB on the garbage-collected heap after the last collection.</param>
/// <param name="Handles">Open files and sockets.</param>
/// <param name="Gen0">Collections of generation 0 since the start.</param>
/// <param name="Gen2">Full collections since the start.</param>
/// <param name="PausePercent">Time spent in collections since the start.</param>
/// <param name="LagMedian">Seconds from receipt to row, for the events stored since the last sample.</param>
/// <param name="LagMost">The longest of them, in seconds.</param>
internal sealed record Sample(
    double WorkingSet, double Heap, int Handles, int Threads, int Gen0, int Gen2, double PausePercent, double LagMedian, double LagMost);

[JsonSerializable(typeof(Sample))]
internal sealed partial class SampleJson : JsonSerializerContext;
