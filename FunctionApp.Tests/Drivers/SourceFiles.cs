using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smtp2GoIngest.Tests;

/// <summary>One file in a project names something that another file in it declares.</summary>
internal sealed record SourceArrow(string From, string FromNamespace, string To, string ToNamespace, string Name)
{
    public override string ToString() => $"{From} → {To} ({Name})";
}

/// <summary>The C# files in the repository, and which of them use which.</summary>
internal static class SourceFiles
{
    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    // Compiling a project takes seconds.
    private static readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<SourceArrow>>> Found = new();

    private static readonly SyntaxTree ImplicitUsings = CSharpSyntaxTree.ParseText(
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """);

    /// <summary>The files in a folder; their paths are relative to it.</summary>
    /// <param name="folder">Relative to the root; empty for all.</param>
    public static IEnumerable<SyntaxTree> Parse(string folder) => Repository.Files(folder)
        .Where(path => path.EndsWith(".cs", StringComparison.Ordinal))
        .Select(path => CSharpSyntaxTree.ParseText(
            File.ReadAllText(Path.Combine(Repository.Root, path)), path: folder.Length == 0 ? path : path[(folder.Length + 1)..]));

    /// <summary>Which files in a project name each other; generated code is left out.</summary>
    /// <param name="project">The folder of the project.</param>
    /// <param name="assembly">The name of its assembly, which may see other assemblies' internals.</param>
    public static IReadOnlyList<SourceArrow> Arrows(string project, string assembly) =>
        Found.GetOrAdd(project, _ => new(() => Find(project, assembly))).Value;

    private static IReadOnlyList<SourceArrow> Find(string project, string assembly)
    {
        // Without the assembly that was built from these same files: every extension method would be there twice.
        var compilation = CSharpCompilation.Create(
            assembly,
            Parse(project).Append(ImplicitUsings),
            References.Where(reference => Path.GetFileNameWithoutExtension(reference.Display) != assembly),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication));
        return
        [
            .. compilation.SyntaxTrees
                .SelectMany(tree => Arrows(compilation.GetSemanticModel(tree)))
                .DistinctBy(arrow => (arrow.From, arrow.FromNamespace, arrow.To, arrow.ToNamespace)),
        ];
    }

    private static IEnumerable<SourceArrow> Arrows(SemanticModel model)
    {
        var names = model.SyntaxTree.GetRoot()
            .DescendantNodes()
            .Where(node => node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax);
        foreach (var name in names)
        {
            var info = model.GetSymbolInfo(name);
            if (Declared(info.Symbol ?? info.CandidateSymbols.FirstOrDefault()) is not { } symbol)
            {
                continue;
            }

            var files = symbol.DeclaringSyntaxReferences.Select(declaration => declaration.SyntaxTree.FilePath).ToList();
            if (!files.Contains(model.SyntaxTree.FilePath))
            {
                var room = name.FirstAncestorOrSelf<BaseNamespaceDeclarationSyntax>()?.Name.ToString() ?? string.Empty;
                foreach (var file in files)
                {
                    yield return new(model.SyntaxTree.FilePath, room, file, symbol.ContainingNamespace.ToDisplayString(), symbol.Name);
                }
            }
        }
    }

    // The symbol that appears in a file: for a constructed type its definition, for what the compiler adds to a type that type.
    private static ISymbol? Declared(ISymbol? symbol)
    {
        symbol = symbol switch
        {
            null or INamespaceSymbol or { IsImplicitlyDeclared: true, ContainingType: null } => null,
            IMethodSymbol { ReducedFrom: { } method } => method.OriginalDefinition,
            _ => symbol.OriginalDefinition,
        };
        return symbol is { DeclaringSyntaxReferences.IsEmpty: true, ContainingType: { } type } ? type.OriginalDefinition : symbol;
    }
}
