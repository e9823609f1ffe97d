using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>A table for the terminal and for Markdown.</summary>
internal sealed record Figures(string Title, string[] Columns, List<string[]> Rows)
{
    public void Print()
    {
        var table = new Table().RoundedBorder().Title(Markup.Escape(Title)).AddColumns([.. Columns.Select(Markup.Escape)]);
        Rows.ForEach(row => table.AddRow([.. row.Select(Markup.Escape)]));
        AnsiConsole.Write(table);
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"**{Title}**").AppendLine();
        foreach (var row in (IEnumerable<string[]>)[Columns, [.. Columns.Select(_ => "---")], .. Rows])
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        }

        return text.ToString();
    }
}

/// <summary>Turns measurements into tables. A ratio is the median of each round's ratio, because the machine's speed drifts.</summary>
internal static class Report
{
    private const string Begin = "<!-- measured by perf load: begin -->";
    private const string End = "<!-- measured by perf load: end -->";

    public static Figures Of(string title, Dictionary<(Side Side, int Connections), List<Receiving>> cells) => new(
        title,
        [
            "connections", "side", "acknowledged/s", "to the floor", "to bare", "p50 ms", "p99 ms", "p999 ms", "CPU s per 1,000",
            "sends per 1,000", "peak MB so far",
        ],
        [
            .. cells.OrderBy(cell => cell.Key.Connections).ThenBy(cell => cell.Key.Side).Select(cell =>
            {
                var plain = Of(Side.Plain);
                return new[]
                {
                    Number(cell.Key.Connections, 0),
                    cell.Key.Side.ToString().ToLowerInvariant(),
                    WithRatio(cell.Value, plain, c => c.Seen.PerSecond, 0),
                    Ratio(cell.Value, Of(Side.Floor), c => c.Seen.PerSecond),
                    Ratio(cell.Value, Of(Side.Bare), c => c.Seen.PerSecond),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.5), 2),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.99), 1),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.999), 1),
                    WithRatio(cell.Value, plain, c => c.CpuPerThousand, 3),
                    Number(Median(cell.Value.Select(c => c.SendsPerThousand)), 0),
                    Number(cell.Value.Max(c => c.PeakMemory), 0),
                };

                List<Receiving> Of(Side side) => cells.GetValueOrDefault((side, cell.Key.Connections), cell.Value);
            })
        ]);

    public static Figures Of(string title, Dictionary<Side, List<Draining>> cells) => new(
        title,
        ["side", "events/s", "rows/s over all tables", "to bare", "CPU s per 1,000", "requests per 1,000", "peak MB so far"],
        [
            .. cells.Select(cell => new[]
            {
                cell.Key.ToString().ToLowerInvariant(),
                WithRatio(cell.Value, cells.GetValueOrDefault(Side.Plain, cell.Value), c => c.EventsPerSecond, 0),
                Number(Median(cell.Value.Select(c => c.RowsPerSecond)), 0),
                Ratio(cell.Value, cells.GetValueOrDefault(Side.Bare, cell.Value), c => c.RowsPerSecond),
                WithRatio(cell.Value, cells.GetValueOrDefault(Side.Plain, cell.Value), c => c.CpuPerThousand, 3),
                Number(Median(cell.Value.Select(c => c.RequestsPerThousand)), 0),
                Number(cell.Value.Max(c => c.PeakMemory), 0),
            })
        ]);

    public static Figures Of(string title, IEnumerable<(string How, Flood Flood)> floods) => new(
        title,
        ["how", "events", "CPU s per 1,000", "requests per 1,000", "MB after a quarter of the time", "at the end", "at most"],
        [
            .. floods.Select(it => new[]
            {
                it.How,
                Number(it.Flood.Webhooks, 0),
                Number(it.Flood.CpuPerThousand, 2),
                Number(it.Flood.RequestsPerThousand, 0),
                Number(it.Flood.AfterAQuarter, 0),
                Number(it.Flood.AtTheEnd, 0),
                Number(it.Flood.AtMost, 0),
            })
        ]);

    /// <summary>Puts the figures into a document, between the marks, in place of the last ones.</summary>
    public static async Task WriteAsync(string document, IEnumerable<Figures> figures, CancellationToken cancellationToken)
    {
        var text = await File.ReadAllTextAsync(document, cancellationToken);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
        {
            throw new InvalidDataException($"{document} has no place for the figures: it needs the lines {Begin} and {End}.");
        }

        var measured = string.Join('\n', figures.Select(f => f.ToMarkdown()).Prepend(Machine() + '\n'));
        await File.WriteAllTextAsync(document, $"{text[..begin]}{Begin}\n{measured}{text[end..]}", cancellationToken);
    }

    private static string Machine() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:d MMMM yyyy}, {ProcessorName()}, {Environment.ProcessorCount} logical processors, "
            + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024.0 / 1024 / 1024:N0} GB, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}; clients and Azurite on the same machine.");

    private static string ProcessorName() =>
        File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]
            : RuntimeInformation.ProcessArchitecture.ToString();

    private static string WithRatio<T>(List<T> own, List<T> plain, Func<T, double> of, int digits) => ReferenceEquals(own, plain)
        ? Number(Median(own.Select(of)), digits)
        : $"{Number(Median(own.Select(of)), digits)} ({Number(Median(own.Zip(plain, (a, b) => of(a) / of(b))), 2)} : 1)";

    private static string Ratio<T>(List<T> own, List<T> other, Func<T, double> of) =>
        ReferenceEquals(own, other) ? "-" : Number(Median(own.Zip(other, (a, b) => of(a) / of(b))), 2);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static string Number(double value, int digits) =>
        double.IsNaN(value) ? "-" : value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
