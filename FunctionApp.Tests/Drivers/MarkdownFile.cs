using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Smtp2GoIngest.Tests;

/// <summary>A block of code in a document, and the HTML comment right before it, which readers do not see.</summary>
internal sealed record CodeBlock(string Language, string Comment, IReadOnlyList<string> Lines);

/// <summary>A document in the repository.</summary>
internal sealed class MarkdownFile
{
    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).Build();

    private readonly MarkdownDocument document;

    /// <param name="path">Relative to the repository's root.</param>
    public MarkdownFile(string path)
    {
        Path = path;
        document = Markdown.Parse(File.ReadAllText(System.IO.Path.Combine(Repository.Root, path)), Pipeline);
    }

    public string Path { get; }

    public static IEnumerable<string> All { get; } =
        [.. Repository.Files().Where(path => path.EndsWith(".md", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>Where its links lead, including images.</summary>
    public IEnumerable<string> Links => document.Descendants<LinkInline>().Select(link => link.Url ?? string.Empty);

    /// <summary>The anchors that GitHub builds from the headings.</summary>
    public IEnumerable<string> Anchors =>
        document.Descendants<HeadingBlock>().Select(heading => heading.GetAttributes().Id ?? string.Empty);

    /// <summary>The texts in backticks.</summary>
    public IEnumerable<string> Quoted =>
        document.Descendants<CodeInline>().Select(code => code.Content.ReplaceLineEndings(" "));

    public IEnumerable<CodeBlock> CodeBlocks => document.Descendants<FencedCodeBlock>().Select(block =>
    {
        var before = block.Parent!.IndexOf(block) - 1;
        return new CodeBlock(
            block.Info ?? string.Empty,
            before >= 0 && block.Parent[before] is HtmlBlock html ? html.Lines.ToString() : string.Empty,
            [.. block.Lines.ToString().Replace("\\\n", string.Empty, StringComparison.Ordinal).Split('\n').Select(line => line.TrimEnd())]);
    });
}
