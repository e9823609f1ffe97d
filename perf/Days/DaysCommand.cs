using System.CommandLine;

namespace Smtp2GoIngest.Perf.Days;

/// <summary>Measures what counting a day costs, and a summary of many days with and without it.</summary>
internal sealed class DaysCommand : Command
{
    public DaysCommand()
        : base("days", "Fills the table by day with a month of events, counts it, and compares the tool's summary with a live one.")
    {
        var events = new Option<int>("--events")
        {
            Description = "Events in all, over the last 30 days.",
            DefaultValueFactory = _ => 30_000,
        };
        Options.Add(events);
        SetAction((parsed, cancellationToken) => DaysRun.RunAsync(parsed.GetValue(events), cancellationToken));
    }
}
