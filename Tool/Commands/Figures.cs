using System.CommandLine;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>One number of a report.</summary>
/// <param name="Name">For programs.</param>
/// <param name="Text">For people.</param>
internal sealed record Figure(string Name, string Text, long Value);

/// <summary>Says what was done, or would be: one figure per line for people, all of them in one document for programs.</summary>
internal static class Figures
{
    public static Task ReportAsync(
        this CommandContext context, ParseResult parsed, IEnumerable<Figure> figures, CancellationToken cancellationToken) =>
        context.IsJson(parsed)
            ? context.Output.WriteJsonAsync(
                new JsonObject(figures.Select(f => KeyValuePair.Create<string, JsonNode?>(f.Name, f.Value))), cancellationToken)
            : context.WriteLinesAsync(
                context.Lines([.. figures.Select(f => (Cell[])[Cell.Key(f.Text), Cell.Number(PlainText.Number(f.Value))])]),
                cancellationToken);
}
