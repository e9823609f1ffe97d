namespace Smtp2GoIngest.Edge;

/// <summary>What one experiment found.</summary>
/// <param name="Experiment">What was tried.</param>
/// <param name="Figures">What was measured.</param>
/// <param name="Holds">Whether the promise held; null where nothing is promised and only a figure is stated.</param>
public sealed record Finding(string Experiment, string Figures, bool? Holds);
