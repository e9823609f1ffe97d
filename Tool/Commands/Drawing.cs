namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Rows laid out for the terminal that a command writes to.</summary>
internal static class Drawing
{
    public static IEnumerable<string> Lines(
        this CommandContext context, IReadOnlyList<IReadOnlyList<Cell>> rows, IReadOnlyList<string>? headings = null) =>
        TextLayout.Lines(rows, headings, context.Width, context.HasColors ? Paint : (text, _) => text);

    public static async Task WriteLinesAsync(this CommandContext context, IEnumerable<string> lines, CancellationToken cancellationToken)
    {
        foreach (var line in lines)
        {
            await context.Output.WriteLineAsync(line.AsMemory(), cancellationToken);
        }
    }

    // SGR colours of the terminal's own palette, which suit its background.
    private static string Paint(string text, Tint tint) => tint switch
    {
        Tint.Good => $"\e[32m{text}\e[0m",
        Tint.Warning => $"\e[33m{text}\e[0m",
        Tint.Bad => $"\e[31m{text}\e[0m",
        Tint.Dim => $"\e[2m{text}\e[0m",
        _ => text,
    };
}
