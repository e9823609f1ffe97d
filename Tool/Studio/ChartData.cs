namespace Smtp2GoIngest.Tool.Studio;

/// <summary>One column of a chart.</summary>
/// <param name="Key">Different for each column of a chart.</param>
/// <param name="Label">Below the column.</param>
/// <param name="Url">What is behind it.</param>
/// <param name="Values">One for each <see cref="ChartPart"/>.</param>
public sealed record ChartColumn(string Key, string Label, string Url, IReadOnlyList<long> Values);

/// <summary>What a chart shows; its columns from the bottom up.</summary>
/// <param name="Tone">Its colour: <c>--chart-…</c> in studio.css.</param>
/// <param name="IsLine">Drawn as a line across the columns, because it is not one of them.</param>
public sealed record ChartPart(string Name, string Tone, bool IsLine = false);
