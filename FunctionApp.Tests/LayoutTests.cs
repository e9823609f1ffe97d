using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Smtp2GoIngest.Tests;

/// <summary>The rooms of docs/architecture.md: who may use whom, and how large a file may grow.</summary>
public sealed class LayoutTests
{
    private const int LongestFile = 220;
    private const int MostProjects = 10;
    private const string IngestNamespace = "Smtp2GoIngest";

    private static readonly Regex SaysNothing = new("(?:Helpers?|Utils?|Utilit(?:y|ies)|Common|Managers?)$", RegexOptions.NonBacktracking);

    // Each room of the library, and the rooms that it may use. The root may use all of them; none of them may use the root.
    private static readonly Dictionary<string, string[]> Rooms = new()
    {
        ["Receiving"] = ["Queueing", "Parsing", "Telemetry"],
        ["Queueing"] = ["Telemetry"],
        ["Parsing"] = [],
        ["Classifying"] = ["Parsing"],
        ["Telemetry"] = [],
        ["Storing"] = ["Queueing", "Parsing", "Classifying", "Telemetry"],
        ["Maintaining"] = ["Storing", "Queueing", "Parsing", "Classifying", "Telemetry"],
        ["Reconciling"] = ["Storing", "Queueing", "Parsing", "Telemetry"],
    };

    [Theory]
    [InlineData("Ingest")]
    [InlineData("FunctionApp")]
    [InlineData("SelfHost")]
    [InlineData("Tool")]
    [InlineData("Local")]
    [InlineData("Lab")]
    [InlineData("perf")]
    public void No_two_files_use_each_other(string project) =>
        None(Circles(SourceFiles.Arrows(project, AssemblyOf(project))));

    [Fact]
    public void Arrows_between_rooms_run_one_way()
    {
        var arrows = SourceFiles.Arrows("Ingest", IngestNamespace);

        Assert.NotEmpty(arrows);
        None(arrows.Where(arrow => !MayUse(RoomOf(arrow.FromNamespace), RoomOf(arrow.ToNamespace))));

        static bool MayUse(string from, string to) =>
            from == to || from.Length == 0 || (Rooms.TryGetValue(from, out var others) && others.Contains(to));
    }

    [Fact]
    public void A_room_is_a_folder_and_a_namespace() => None(SourceFiles.Parse("Ingest")
        .SelectMany(tree => tree.GetRoot().ChildNodes().OfType<BaseNamespaceDeclarationSyntax>().Select(declared =>
            (File: tree.FilePath, Name: declared.Name.ToString(), Folder: Path.GetDirectoryName(tree.FilePath)!)))
        .Where(it => RoomOf(it.Name) != it.Folder || (it.Folder.Length > 0 && !Rooms.ContainsKey(it.Folder)))
        .Select(it => $"{it.File} is in namespace {it.Name}"));

    [Theory]
    [InlineData("Ingest")]
    [InlineData("FunctionApp", "Ingest")]
    [InlineData("SelfHost", "Ingest")]
    [InlineData("Tool", "Ingest")]
    [InlineData("Lab")]
    public void A_project_references_no_more_than_it_may(string project, params string[] others) =>
        Assert.Equal(others, ReferencesOf(ProjectFile(project)));

    /// <summary>What the tool knows is shown on a terminal and in a browser.</summary>
    [Fact]
    public void Asking_knows_no_console() => None(SourceFiles.Parse("Tool")
        .Where(tree => tree.FilePath.StartsWith("Asking/", StringComparison.Ordinal))
        .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<NameSyntax>()
            .Where(name => name.ToString()
                is "Console" or "Spectre" or "AnsiConsole" or "System.CommandLine" or "TextWriter" or "Commands" or "Studio")
            .Select(name => $"{tree.FilePath} names {name}"))
        .Distinct());

    [Fact]
    public void Studio_knows_no_terminal() => None(Repository.Files("Tool/Studio")
        .SelectMany(path => Lines(path).Select((line, i) => (Line: line, At: $"{path}:{i + 1}")))
        .Where(it => it.Line.Contains("Tool.Commands", StringComparison.Ordinal) || it.Line.Contains("Spectre", StringComparison.Ordinal))
        .Select(it => it.At));

    [Fact]
    public void Only_its_tests_reference_the_worker() => Assert.Equal(
        ["FunctionApp.Tests/FunctionApp.Tests.csproj"],
        Projects().Where(project => ReferencesOf(project).Contains("FunctionApp")));

    [Fact]
    public void The_solution_has_every_project_for_any_CPU()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "Smtp2GoIngest.sln"));
        var projects = Projects();

        None(projects.Where(project => !solution.Contains($"\"{project.Replace('/', '\\')}\"", StringComparison.Ordinal)));
        Assert.InRange(projects.Count, 1, MostProjects);
        Assert.DoesNotContain("|x64", solution, StringComparison.Ordinal);
        Assert.DoesNotContain("|x86", solution, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Ingest")]
    [InlineData("FunctionApp")]
    [InlineData("SelfHost")]
    [InlineData("Tool")]
    public void No_file_grows_too_long(string project) => None(Repository.Files(project)
        .Where(path => path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".razor", StringComparison.Ordinal))
        .Select(path => (Path: path, Lines: Lines(path).Count()))
        .Where(file => file.Lines > LongestFile)
        .Select(file => $"{file.Path}: {file.Lines} lines"));

    [Fact]
    public void There_is_only_one_way_to_build_the_worker()
    {
        // Composed, so that this file does not contain the word itself.
        var property = new Regex($@"\b{"Functions" + "Worker"}\b", RegexOptions.NonBacktracking);

        None(Repository.Files().SelectMany(path => Lines(path)
            .Select((line, i) => (Line: line, At: $"{path}:{i + 1}"))
            .Where(it => property.IsMatch(it.Line))
            .Select(it => it.At)));
    }

    [Fact]
    public void A_name_says_what_a_type_does()
    {
        var folders = Repository.Files().SelectMany(path => path.Split('/')[..^1]).Distinct();
        var types = SourceFiles.Parse(string.Empty)
            .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<BaseTypeDeclarationSyntax>())
            .Select(type => type.Identifier.Text);

        None(folders.Concat(types).Where(name => SaysNothing.IsMatch(name)));
    }

    private static void None<T>(IEnumerable<T> found)
    {
        var all = string.Join(Environment.NewLine, found);
        Assert.True(all.Length == 0, all);
    }

    /// <summary>The shortest circles: each has a file that is in no shorter one.</summary>
    private static List<string> Circles(IReadOnlyList<SourceArrow> arrows)
    {
        var from = arrows.ToLookup(arrow => arrow.From);
        HashSet<string> seen = [];
        List<string> circles = [];
        foreach (var circle in arrows.Select(WayBack).Where(circle => circle.Count > 0).OrderBy(circle => circle.Count))
        {
            if (!seen.IsSupersetOf(circle.Select(arrow => arrow.From)))
            {
                seen.UnionWith(circle.Select(arrow => arrow.From));
                circles.Add(string.Join(", ", circle));
            }
        }

        return circles;

        List<SourceArrow> WayBack(SourceArrow first)
        {
            Dictionary<string, SourceArrow> cameBy = new() { [first.To] = first };
            Queue<string> reached = new([first.To]);
            while (!cameBy.ContainsKey(first.From) && reached.TryDequeue(out var file))
            {
                foreach (var arrow in from[file].Where(arrow => cameBy.TryAdd(arrow.To, arrow)))
                {
                    reached.Enqueue(arrow.To);
                }
            }

            List<SourceArrow> circle = [];
            for (var at = first.From; cameBy.TryGetValue(at, out var arrow) && !circle.Contains(arrow); at = arrow.From)
            {
                circle.Insert(0, arrow);
            }

            return circle;
        }
    }

    private static string RoomOf(string name) => name == IngestNamespace ? string.Empty : name[(IngestNamespace.Length + 1)..];

    private static IEnumerable<string> Lines(string path) => File.ReadLines(Path.Combine(Repository.Root, path));

    private static List<string> Projects() =>
        [.. Repository.Files().Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string ProjectFile(string project) => $"{project}/{project}.csproj";

    private static XElement Xml(string projectFile) => XElement.Load(Path.Combine(Repository.Root, projectFile));

    private static IEnumerable<string> ReferencesOf(string projectFile) => Xml(projectFile)
        .Descendants("ProjectReference")
        .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

    private static string AssemblyOf(string project) =>
        Xml(ProjectFile(project)).Descendants("AssemblyName").SingleOrDefault()?.Value ?? project;
}
