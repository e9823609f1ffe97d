namespace Smtp2GoIngest.Perf.Edge;

/// <summary>What one experiment found.</summary>
/// <param name="Holds">Whether the promise held; null if nothing is promised and only a figure is given.</param>
internal sealed record Finding(string Experiment, string Figures, bool? Holds);
