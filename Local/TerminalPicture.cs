using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Local;

/// <summary>Draws lines of a terminal, with the colours that the tool uses, as an SVG.</summary>
internal static partial class TerminalPicture
{
    private const double CharacterWidth = 8.4;
    private const int LineHeight = 19;
    private const int Margin = 16;

    public static string Svg(IReadOnlyList<string> lines)
    {
        var columns = lines.Max(line => Colour().Replace(line, string.Empty).Length);
        var (width, height) = ((columns * CharacterWidth) + (2 * Margin), (lines.Count * LineHeight) + (2 * Margin));
        var svg = new StringBuilder();
        svg.Append(string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{{width:0}}" height="{{height}}" viewBox="0 0 {{width:0}} {{height}}">
            <style>
            text { font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d4d4d4; white-space: pre }
            .c1 { font-weight: bold; fill: #ffffff } .c2 { fill: #8b949e }
            .c31 { fill: #ff7b72 } .c32 { fill: #7ee787 } .c33 { fill: #f2cc60 }
            </style>
            <rect width="100%" height="100%" rx="8" fill="#0d1117"/>

            """).ReplaceLineEndings("\n"));
        foreach (var (line, y) in lines.Select((line, i) => (line, Margin + (i * LineHeight) + 14)).Where(it => it.line.Length > 0))
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Margin}\" y=\"{y}\" xml:space=\"preserve\">{Spans(line)}</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static string Spans(string line)
    {
        var text = new StringBuilder();
        var (at, isOpen) = (0, false);
        foreach (Match colour in Colour().Matches(line))
        {
            text.Append(WebUtility.HtmlEncode(line[at..colour.Index]));
            at = colour.Index + colour.Length;
            text.Append(isOpen ? "</tspan>" : string.Empty);
            isOpen = colour.Groups["code"].Value != "0";
            text.Append(isOpen ? $"<tspan class=\"c{colour.Groups["code"].Value}\">" : string.Empty);
        }

        return text.Append(WebUtility.HtmlEncode(line[at..])).Append(isOpen ? "</tspan>" : string.Empty).ToString();
    }

    [GeneratedRegex(@"\e\[(?<code>\d+)m", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Colour();
}
