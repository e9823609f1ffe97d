using Spectre.Console;

namespace Smtp2GoIngest.Perf.Reconciling;

/// <summary>What must hold, and whether it did.</summary>
internal sealed class Checks
{
    private readonly List<(string What, bool? Holds)> all = [];

    public bool Hold => all.TrueForAll(check => check.Holds != false);

    public void Add(string what, bool holds) => all.Add((what, holds));

    public void Note(string what, string figures) => all.Add(($"{what}: {figures}", null));

    public void Print()
    {
        var table = new Table().RoundedBorder().AddColumns("Check", "Holds");
        foreach (var (what, holds) in all)
        {
            table.AddRow(
                Markup.Escape(what), holds switch
                {
                    true => "[green]yes[/]",
                    false => "[red]no[/]",
                    null => "-",
                });
        }

        AnsiConsole.Write(table);
    }
}
