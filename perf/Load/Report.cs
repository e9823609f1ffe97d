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
        ["connections", "side", "acknowledged/s", "p50 ms", "p99 ms", "p999 ms", "CPU s per 1,000", "sends per 1,000", "peak MB so far"],
        [
            .. cells.OrderBy(cell => cell.Key.Connections).ThenBy(cell => cell.Key.Side).Select(cell =>
            {
                var plain = cells.GetValueOrDefault((Side.Plain, cell.Key.Connections), cell.Value);
                return new[]
                {
                    Number(cell.Key.Connections, 0),
                    cell.Key.Side.ToString().ToLowerInvariant(),
                    WithRatio(cell.Value, plain, c => c.Seen.PerSecond, 0),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.5), 2),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.99), 1),
                    WithRatio(cell.Value, plain, c => c.Seen.At(0.999), 1),
                    WithRatio(cell.Value, plain, c => c.CpuPerThousand, 3),
                    Number(Median(cell.Value.Select(c => c.SendsPerThousand)), 0),
                    Number(cell.Value.Max(c => c.PeakMemory), 0),
                };
            })
        ]);

    public static Figures Of(string title, Dictionary<Side, List<Draining>> cells) => new(
        title,
        ["side", "events/s", "rows/s over all tables", "CPU s per 1,000", "peak MB"],
        [
            .. cells.Select(cell => new[]
            {
                cell.Key.ToString().ToLowerInvariant(),
                WithRatio(cell.Value, cells.GetValueOrDefault(Side.Plain, cell.Value), c => c.EventsPerSecond, 0),
                WithRatio(cell.Value, cells.GetValueOrDefault(Side.Plain, cell.Value), c => c.RowsPerSecond, 0),
                WithRatio(cell.Value, cells.GetValueOrDefault(Side.Plain, cell.Value), c => c.CpuPerThousand, 3),
                Number(cell.Value.Max(c => c.PeakMemory), 0),
            })
        ]);

    public static Figures Of(Flood flood) => new(
        $"Memory of the app while {flood.Webhooks:N0} webhooks are received and stored",
        ["after a quarter of the time, MB", "at the end, MB", "at most, MB"],
        [[Number(flood.AfterAQuarter, 0), Number(flood.AtTheEnd, 0), Number(flood.AtMost, 0)]]);

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

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static string Number(double value, int digits) =>
        double.IsNaN(value) ? "-" : value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
