using System.CommandLine;

namespace Smtp2GoIngest.Perf.Studio;

/// <summary>Measures how long Studio's pages take in a browser, over a month of events.</summary>
internal sealed class StudioCommand : Command
{
    public StudioCommand()
        : base("studio", "Fills the tables with a month of events, and measures Studio's pages in a browser beside an empty page.")
    {
        var events = new Option<int>("--events")
        {
            Description = "Events in all, over the last 30 days.",
            DefaultValueFactory = _ => 30_000,
        };
        Options.Add(events);
        SetAction((parsed, cancellationToken) => StudioRun.RunAsync(parsed.GetValue(events), cancellationToken));
    }
}
